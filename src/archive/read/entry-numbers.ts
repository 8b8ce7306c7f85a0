/**
 * Whether the entries of a table are numbered 0, 1, 2 … In ours they stand in that order; in a foreign archive they may
 * stand in any. Their count, largest and sum find every gap, double and wrong number that comes alone; only several that
 * make up for one another, as nobody makes by accident, are not seen: nothing proves a foreign archive complete anyway.
 */
export class EntryNumbers {
  #count = 0;
  #next = 0;
  #max = -1;
  /** The sum of all numbers less that of 0, 1, 2 … as many, modulo 2^32: exact, however large they are. */
  #excess = 0;

  /** The number that is due. */
  get next(): number {
    return this.#next;
  }

  add(number: number): void {
    this.#excess = (this.#excess + number - this.#count) | 0;
    this.#max = Math.max(this.#max, number);
    this.#next = number + 1;
    this.#count += 1;
  }

  /** Whether the numbers are those from 0 up to the count, in whatever order. */
  get isWhole(): boolean {
    return this.#max === this.#count - 1 && this.#excess === 0;
  }
}
