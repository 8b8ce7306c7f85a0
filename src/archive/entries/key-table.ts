/**
 * A hash table on disk, from digests of keys to numbers: the same memory for ten changes and for ten million. Open
 * addressing in a sparse temporary file, at most half full.
 */
import { SpoolFile } from '../io/spool-file.js';

export const digestBytes = 16;
const slotBytes = digestBytes + 8;

export class KeyTable implements Disposable {
  readonly #file: SpoolFile;
  readonly #slotCount: number;
  readonly #slot = Buffer.alloc(slotBytes);

  /** For at most `mostKeys` keys, in a temporary file in `directory`. */
  constructor(mostKeys: number, directory: string) {
    this.#slotCount = 2 * mostKeys + 1;
    this.#file = new SpoolFile(directory, this.#slotCount * slotBytes);
  }

  /** The number last set for this digest. */
  get(digest: Buffer): number | undefined {
    return this.#find(digest).value;
  }

  /** `value` is not 0. */
  set(digest: Buffer, value: number): void {
    const { position } = this.#find(digest);
    digest.copy(this.#slot, 0, 0, digestBytes);
    this.#slot.writeDoubleLE(value, digestBytes);
    this.#file.write(this.#slot, position);
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** Where the digest is, or where it goes. */
  #find(digest: Buffer): { readonly position: number; readonly value: number | undefined } {
    const first = digest.readUIntLE(0, 6) % this.#slotCount;
    for (let step = 0; step < this.#slotCount; step += 1) {
      const position = ((first + step) % this.#slotCount) * slotBytes;
      this.#file.read(this.#slot, position);
      const value = this.#slot.readDoubleLE(digestBytes);
      if (value === 0) return { position, value: undefined };
      if (this.#slot.compare(digest, 0, digestBytes, 0, digestBytes) === 0) return { position, value };
    }
    throw new RangeError('more keys than the table was made for');
  }
}
