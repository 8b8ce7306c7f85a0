/** What was opened on the way to somewhere, closed again in reverse order. */
export class Cleanup implements AsyncDisposable {
  readonly #resources: AsyncDisposable[] = [];

  /** Takes over closing `resource` and gives it back. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** Closes every resource, the last one first, each once; a failure does not keep the others open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let resource = this.#resources.pop(); resource !== undefined; resource = this.#resources.pop()) {
      try {
        await resource[Symbol.asyncDispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
