/** A list that counts everything and keeps the first of it. */
import { maxListed, type Listed } from '../../model/image-manifest.js';

export class BoundedList {
  readonly #first: { path: string; why: string }[] = [];
  #count = 0;

  add(path: string, why: string): void {
    this.#count += 1;
    if (this.#first.length < maxListed) this.#first.push({ path, why });
  }

  get count(): number {
    return this.#count;
  }

  get listed(): Listed {
    return { count: this.#count, first: [...this.#first] };
  }
}
