/**
 * Keys of one fixed length, each with a number (0, 1, 2 … in the order of arrival) and a byte of flags: a hash table in
 * typed arrays, so that millions of them take no more memory than their bytes and a few more.
 */
import { randomFillSync } from 'node:crypto';

const firstCapacity = 1024;

export class FingerprintTable {
  readonly #keyBytes: number;
  readonly #maxCount: number;
  /**
   * A random number for each value of each byte of a key; a key's hash is the XOR of them (tabulation hashing). They are
   * secret, so whoever chooses the keys cannot make them collide: a byte in which two keys differ makes every difference of
   * their hashes equally likely. Multipliers would not do: they make only four hashes of all multiples of 2^30.
   */
  readonly #table: Int32Array;
  #keys: Buffer;
  #flags: Uint8Array;
  /** A key's number and 1; 0 for a free slot. Twice as many as there is room for keys. */
  #slots: Uint32Array;
  #shift: number;
  #count = 0;

  /** More than `maxCount` keys are not taken. */
  constructor(keyBytes: number, maxCount: number) {
    this.#keyBytes = keyBytes;
    this.#maxCount = maxCount;
    this.#table = randomFillSync(new Int32Array(256 * keyBytes));
    this.#keys = Buffer.alloc(firstCapacity * keyBytes);
    this.#flags = new Uint8Array(firstCapacity);
    this.#slots = new Uint32Array(2 * firstCapacity);
    this.#shift = 32 - Math.log2(2 * firstCapacity);
  }

  get count(): number {
    return this.#count;
  }

  find(key: Buffer): number | undefined {
    const number = this.#slots[this.#slotOf(key)] ?? 0;
    return number === 0 ? undefined : number - 1;
  }

  /** The key's number, old or new; undefined where it is new and there is no more room. */
  add(key: Buffer): number | undefined {
    const known = this.find(key);
    if (known !== undefined) return known;
    if (this.#count >= this.#maxCount) return undefined;
    if (this.#count >= this.#flags.length) this.#grow();
    this.#slots[this.#slotOf(key)] = this.#count + 1;
    key.copy(this.#keys, this.#count * this.#keyBytes, 0, this.#keyBytes);
    this.#count += 1;
    return this.#count - 1;
  }

  /** Good until the next `add`. */
  keyAt(number: number): Buffer {
    return this.#keys.subarray(number * this.#keyBytes, (number + 1) * this.#keyBytes);
  }

  flagsAt(number: number): number {
    return this.#flags[number] ?? 0;
  }

  setFlags(number: number, flags: number): void {
    this.#flags[number] = this.flagsAt(number) | flags;
  }

  /** Where the key is, or where it goes. */
  #slotOf(key: Buffer): number {
    let sum = 0;
    for (let at = 0; at < this.#keyBytes; at += 1) sum ^= this.#table[(at << 8) | (key[at] ?? 0)] ?? 0;
    const mask = this.#slots.length - 1;
    for (let slot = sum >>> this.#shift; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] ?? 0;
      if (number === 0 || this.#isKeyAt(number - 1, key)) return slot;
    }
  }

  #isKeyAt(number: number, key: Buffer): boolean {
    const start = number * this.#keyBytes;
    return key.compare(this.#keys, start, start + this.#keyBytes, 0, this.#keyBytes) === 0;
  }

  #grow(): void {
    const capacity = 2 * this.#flags.length;
    const keys = Buffer.alloc(capacity * this.#keyBytes);
    this.#keys.copy(keys);
    this.#keys = keys;
    const flags = new Uint8Array(capacity);
    flags.set(this.#flags);
    this.#flags = flags;
    this.#slots = new Uint32Array(2 * capacity);
    this.#shift -= 1;
    for (let number = 0; number < this.#count; number += 1) this.#slots[this.#slotOf(this.keyAt(number))] = number + 1;
  }
}
