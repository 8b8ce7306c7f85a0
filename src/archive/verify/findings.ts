/** Gathers what is wrong with an archive, in the order found, in bounded memory. */
import { printable } from '../../base/printable.js';
import type { Finding, FindingSink } from '../../model/finding.js';

/** How many findings are kept; the others are counted. */
const maxKept = 100;

export class Findings implements FindingSink {
  readonly #kept: Finding[] = [];
  #count = 0;

  add(entry: string | undefined, reason: string): void {
    this.#count += 1;
    if (this.#count > maxKept) return;
    this.#kept.push({ ...(entry !== undefined && { entry: printable(entry) }), reason: printable(reason, 500) });
  }

  get count(): number {
    return this.#count;
  }

  /** The first of them, at most 100. */
  get first(): readonly Finding[] {
    return this.#kept;
  }
}
