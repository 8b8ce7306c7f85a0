/**
 * Whether the entries of a table are numbered 0, 1, 2 … In ours they stand in that order; in a foreign archive they
 * may stand in any, and then gaps and doubles are found by a fingerprint: constant memory, however many entries.
 */
export class EntryNumbers {
  #count = 0;
  #isInOrder = true;
  #next = 0;
  readonly #seen = new Fingerprint();

  /** The number that is due. */
  get next(): number {
    return this.#next;
  }

  add(number: number): void {
    if (number !== this.#next) this.#isInOrder = false;
    this.#next = number + 1;
    this.#count += 1;
    this.#seen.add(number);
  }

  /** Whether each number from 0 up to the count came exactly once, in whatever order. */
  get isWhole(): boolean {
    if (this.#isInOrder) return true;
    const whole = new Fingerprint();
    for (let number = 0; number < this.#count; number += 1) whole.add(number);
    return whole.equals(this.#seen);
  }
}

/** Two independent 32-bit sums of scrambled numbers: different sets of numbers agree once in 2^64. */
class Fingerprint {
  #first = 0;
  #second = 0;

  add(number: number): void {
    const high = Math.floor(number / 2 ** 32);
    this.#first = (this.#first + scramble(number ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)) | 0;
    this.#second = (this.#second + scramble(number ^ Math.imul(high, 0x27d4eb2f), 0xc2b2ae35)) | 0;
  }

  equals(other: Fingerprint): boolean {
    return this.#first === other.#first && this.#second === other.#second;
  }
}

/** The finalizer of MurmurHash3, with one of its own constants as a seed. */
function scramble(value: number, seed: number): number {
  let mixed = value ^ seed;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
