/** Concurrent writes: a few sessions of their own, limited in number and in bytes in flight. */
import type { RethinkSession } from './session.js';

/** Measured: 17,000 documents/s with one connection, 23,000 with four, no more with eight (RethinkDB 2.4.4, two cores). */
const connectionCount = 4;

/** Beyond this, batches wait for one another; a larger one is written alone. */
const maxBytesInFlight = 16 * 1024 * 1024;

export class WritePool implements AsyncDisposable {
  readonly #sessions: readonly RethinkSession[];
  readonly #idle: RethinkSession[];
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(session: RethinkSession) {
    this.#sessions = Array.from({ length: connectionCount }, () => session.another());
    this.#idle = [...this.#sessions];
  }

  /**
   * Begins `work` as soon as a connection is free, and resolves then; `ended` resolves when it is over, failed or not. One
   * caller at a time. Throws the first failure of any work begun before.
   */
  async begin(
    bytes: number,
    work: (session: RethinkSession) => Promise<void>,
  ): Promise<{ readonly ended: Promise<void> }> {
    let session = this.#takeIdle(bytes);
    while (session === undefined) {
      await Promise.race(this.#running);
      session = this.#takeIdle(bytes);
    }
    this.throwFailure();
    const connection = session;
    this.#bytes += bytes;
    const ended = this.#run(connection, work).finally(() => {
      this.#bytes -= bytes;
      this.#idle.push(connection);
      this.#running.delete(ended);
    });
    this.#running.add(ended);
    return { ended };
  }

  /** Throws what the first failed work threw. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all work begun. Throws what the first failed work threw. */
  async drain(): Promise<void> {
    await Promise.all(this.#running);
    this.throwFailure();
  }

  /** Waits for all work begun, so that every answer is known, and closes the connections. Throws nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running);
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
  }

  #takeIdle(bytes: number): RethinkSession | undefined {
    const isFull = this.#bytes > 0 && this.#bytes + bytes > maxBytesInFlight;
    return isFull ? undefined : this.#idle.pop();
  }

  async #run(session: RethinkSession, work: (session: RethinkSession) => Promise<void>): Promise<void> {
    try {
      await work(session);
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}
