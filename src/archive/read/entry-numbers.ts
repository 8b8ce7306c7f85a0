/**
 * Whether the entries of a table in a foreign archive, in whatever order, are numbered 0, 1, 2 … Their count, largest and
 * sum find every gap, double and wrong number that comes alone; several that make up for one another are not noticed.
 */
export class EntryNumbers {
  #count = 0;
  #max = -1;
  /** The sum of all numbers less that of 0, 1, 2 … as many, modulo 2^32: exact, however large they are. */
  #excess = 0;

  add(number: number): void {
    this.#excess = (this.#excess + number - this.#count) | 0;
    this.#max = Math.max(this.#max, number);
    this.#count += 1;
  }

  get isWhole(): boolean {
    return this.#max === this.#count - 1 && this.#excess === 0;
  }
}
