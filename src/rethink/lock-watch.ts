/**
 * Watches the lock of a restore while it writes, and stops the run soon after another has taken the lock. A run that has
 * broken a lock waits for `lossNoticedWithinMs` before it writes.
 */
import { onAbort, pause } from '../base/deadline.js';
import type { RestoreLock } from './restore-lock.js';
import type { RethinkSession } from './session.js';

const checkEveryMs = 1000;

/**
 * Within this time a run has noticed that its lock was taken, and has closed its connections: it asks every second, and
 * has the rest for the answer. A process that is suspended, or cut off from the server, notices when it continues.
 */
export const lossNoticedWithinMs = 5000;

export class LockWatch implements AsyncDisposable {
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  readonly #removeListener: () => void;
  readonly #watching: Promise<void>;

  /** `signal` ends the run as well. */
  constructor(lock: RestoreLock, session: RethinkSession, signal: AbortSignal) {
    this.#removeListener = onAbort(signal, () => this.#lost.abort(signal.reason));
    this.#watching = this.#watch(lock, session);
  }

  /** For all work under the lock: aborts with a JobError with exit code 7 when the lock is lost or cannot be read. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends the watch; the lock stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the watch has ended'));
    await this.#watching;
    this.#removeListener();
  }

  async #watch(lock: RestoreLock, session: RethinkSession): Promise<void> {
    await using own = session.another(this.#ended.signal);
    try {
      for (;;) {
        await lock.assertHeld(own);
        await pause(checkEveryMs, this.#ended.signal);
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#lost.abort(error);
    }
  }
}
