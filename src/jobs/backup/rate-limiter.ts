/** Limits how fast a backup reads, so that other users of the replica are not slowed down. */
import { pause } from '../../base/deadline.js';
import type { RateLimit } from '../../model/rate-limit.js';
import type { Amount } from '../progress.js';
import type { JobContext } from '../job-context.js';

export class RateLimiter {
  readonly #limit: RateLimit | undefined;
  readonly #context: Pick<JobContext, 'clock' | 'signal'>;
  /** When, at this rate, all that has been read would have been read. */
  #dueMs = 0;

  constructor(limit: RateLimit | undefined, context: Pick<JobContext, 'clock' | 'signal'>) {
    this.#limit = limit;
    this.#context = context;
  }

  /** Called after a batch. Waits as long as the rate demands; time that was lost elsewhere is not made up for. */
  async wait(before: Amount, { count, bytes }: Amount): Promise<void> {
    if (this.#limit === undefined) return;
    const { unit, perSecond } = this.#limit;
    const amount = unit === 'documents' ? count - before.count : bytes - before.bytes;
    const nowMs = this.#context.clock.monotonicMs();
    this.#dueMs = Math.max(this.#dueMs, nowMs) + (amount / perSecond) * 1000;
    await pause(this.#dueMs - nowMs, this.#context.signal);
  }
}
