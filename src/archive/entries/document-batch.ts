/** Documents or changes of one table, read from an archive some hundred kB at a time. */
import { byteTextOf, type ByteText } from '../../model/byte-text.js';
import type { EntryKind } from '../layout.js';

const newline = 0x0a;

/** A larger body is a batch of its own. */
export const batchBytes = 256 * 1024;

/** Whose entries they are. */
export interface EntriesOwner {
  readonly kind: EntryKind;
  readonly directory: string;
}

/** A batch is reused: what it gives, but for strings, is valid until the next one is asked for. */
export class DocumentBatch {
  #owner: EntriesOwner = { kind: 'documents', directory: '' };
  #firstNumber = 0;
  #entriesBefore = 0;
  #lines = Buffer.allocUnsafe(batchBytes);
  #filled = 0;
  #largestBytes = 0;
  readonly #ends: number[] = [];

  get kind(): EntryKind {
    return this.#owner.kind;
  }

  /** The table's directory. */
  get directory(): string {
    return this.#owner.directory;
  }

  /** How many entries of the archive, directories included, precede the first of these. */
  get entriesBefore(): number {
    return this.#entriesBefore;
  }

  /** The number of the first entry; the others count on from it without a gap. */
  get firstNumber(): number {
    return this.#firstNumber;
  }

  get count(): number {
    return this.#ends.length;
  }

  /** Bytes of all bodies together. */
  get bytes(): number {
    return this.#filled - this.#ends.length;
  }

  get largestBytes(): number {
    return this.#largestBytes;
  }

  /** The bodies in order, each followed by one newline: what the SHA-256 of the manifest is over. */
  get lines(): Buffer {
    return this.#lines.subarray(0, this.#filled);
  }

  /** The body of entry `index` of the batch, counted from 0. */
  body(index: number): Buffer {
    return this.#lines.subarray(this.#start(index), this.#ends[index]);
  }

  /** The bodies as text, in order, byte by byte. */
  texts(): ByteText[] {
    return this.#ends.map((end, index) => byteTextOf(this.#lines, this.#start(index), end));
  }

  /** Whether entry `number` of `owner` can be added now. `owner` is compared by identity. */
  takes(owner: EntriesOwner, number: number, bodyBytes: number): boolean {
    if (this.count === 0) return true;
    return owner === this.#owner && number === this.#firstNumber + this.count && this.#filled + bodyBytes < batchBytes;
  }

  /** Called on an empty batch, before its first entry is added. */
  begin(owner: EntriesOwner, number: number, entriesBefore: number): void {
    this.#owner = owner;
    this.#firstNumber = number;
    this.#entriesBefore = entriesBefore;
  }

  /** Adds a copy of the next entry's body, `source` from `start` to `end`; `takes` must have allowed it. */
  add(source: Buffer, start: number, end: number): void {
    const bodyBytes = end - start;
    if (this.count === 0 && bodyBytes >= this.#lines.length) this.#lines = Buffer.allocUnsafe(bodyBytes + 1);
    source.copy(this.#lines, this.#filled, start, end);
    this.#filled += bodyBytes;
    this.#ends.push(this.#filled);
    this.#lines[this.#filled] = newline;
    this.#filled += 1;
    if (bodyBytes > this.#largestBytes) this.#largestBytes = bodyBytes;
  }

  clear(): void {
    this.#filled = 0;
    this.#largestBytes = 0;
    this.#ends.length = 0;
  }

  #start(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0) + 1;
  }
}
