/**
 * Proves that each change of a journal is one of one document: the primary key is there, and before the change it is
 * what it is after it. Which member that is, the manifest says at the very end; until then all are candidates.
 */
import { encodeText } from '../../model/byte-text.js';
import type { Change } from '../../model/change.js';
import type { DocumentEncoding } from '../../model/manifest.js';
import { isPrimaryKey, isSameKey } from './key-order.js';
import type { KeyFault } from './primary-keys.js';

const encodings = ['reql', 'dtr'] as const;

export class ChangeKeys {
  /** What speaks against each member that the first change has; undefined before it. */
  #candidates: Map<string, Record<DocumentEncoding, KeyFault | undefined>> | undefined;
  #firstNumber = 0;

  /** Called for each change in turn; `number` is that of its entry. */
  add({ oldValue, newValue }: Change, number: number): void {
    const values = [oldValue, newValue].filter((value) => value !== undefined);
    if (this.#candidates === undefined) {
      this.#firstNumber = number;
      const names = Object.keys(values[0] ?? {});
      this.#candidates = new Map(names.map((name) => [name, { reql: undefined, dtr: undefined }]));
    }
    for (const [name, faults] of this.#candidates) {
      if (faults.reql !== undefined && faults.dtr !== undefined) continue;
      const hasKey = values.every((value) => Object.hasOwn(value, name) && isPrimaryKey(value[name]));
      const [first, last] = [values[0]?.[name], values.at(-1)?.[name]];
      for (const encoding of encodings) {
        if (!hasKey) faults[encoding] ??= { number, reason: 'has no primary key' };
        else if (!isSameKey(first, last, encoding)) faults[encoding] ??= { number, reason: 'changes its primary key' };
      }
    }
  }

  /** What speaks against `name` being the primary key. */
  fault(name: string, encoding: DocumentEncoding): KeyFault | undefined {
    if (this.#candidates === undefined) return undefined;
    const faults = this.#candidates.get(encodeText(name));
    return faults === undefined ? { number: this.#firstNumber, reason: 'has no primary key' } : faults[encoding];
  }
}
