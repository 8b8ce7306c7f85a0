/** Gathers what is wrong with an archive, in the order found, in bounded memory. */
import { printable } from '../../base/printable.js';
import type { Finding, FindingScope, FindingSink } from '../../model/finding.js';

/** How many findings of one scope are kept; the others are counted. */
const maxKept = 100;

export class Findings implements FindingSink {
  readonly #kept: { readonly finding: Finding; readonly scope: FindingScope }[] = [];
  readonly #counts: Record<FindingScope, number> = { any: 0, own: 0, foreign: 0 };

  add(entry: string | undefined, reason: string, scope: FindingScope = 'any'): void {
    this.#counts[scope] += 1;
    if (this.#counts[scope] > maxKept) return;
    const finding = { ...(entry !== undefined && { entry: printable(entry) }), reason: printable(reason, 500) };
    this.#kept.push({ finding, scope });
  }

  /** How many there are that count. */
  count(hasManifest: boolean): number {
    return this.#counts.any + this.#counts[hasManifest ? 'own' : 'foreign'];
  }

  /** The first of them, at most 100. */
  first(hasManifest: boolean): Finding[] {
    const scopes: readonly FindingScope[] = ['any', hasManifest ? 'own' : 'foreign'];
    return this.#kept
      .filter(({ scope }) => scopes.includes(scope))
      .slice(0, maxKept)
      .map(({ finding }) => finding);
  }
}
