/** Count, bytes, largest body and SHA-256 of a sequence of entries, kept while they are written or read. */
import { createHash } from 'node:crypto';
import type { EntriesChecksum } from '../../model/manifest.js';
import type { EntryKind } from '../layout.js';

/** Consecutive entries. */
export interface EntryLines {
  /** The bodies in order, each followed by one newline. */
  readonly lines: Buffer;
  readonly count: number;
  readonly largestBytes: number;
  /** How many entries of the archive, directories included, precede the first of these. */
  readonly entriesBefore: number;
}

export class RunningChecksum {
  readonly #hash = createHash('sha256');
  /** A change may be anywhere among rows: its place is checksummed, too. */
  readonly #order = createHash('sha256');
  readonly #isOrderHashed: boolean;
  #count = 0;
  #bytes = 0;
  #largestBytes = 0;

  constructor(kind: EntryKind) {
    this.#isOrderHashed = kind === 'changes';
  }

  add({ lines, count, largestBytes, entriesBefore }: EntryLines): void {
    this.#hash.update(lines);
    this.#count += count;
    this.#bytes += lines.length - count;
    this.#largestBytes = Math.max(this.#largestBytes, largestBytes);
    if (!this.#isOrderHashed) return;
    for (let index = 0; index < count; index += 1) this.#order.update(`${entriesBefore + index}\n`);
  }

  get added(): { readonly count: number; readonly bytes: number } {
    return { count: this.#count, bytes: this.#bytes };
  }

  /** Of everything added so far. */
  get checksums(): EntriesChecksum {
    return {
      count: this.#count,
      bytes: this.#bytes,
      largestBytes: this.#largestBytes,
      sha256: this.#hash.copy().digest('hex'),
      ...(this.#isOrderHashed && this.#count > 0 && { orderSha256: this.#order.copy().digest('hex') }),
    };
  }
}
