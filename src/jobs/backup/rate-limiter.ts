/** Holds a backup back to a rate, for the sake of those who use the replica meanwhile. */
import { pause } from '../../base/deadline.js';
import type { RateLimit } from '../../model/rate-limit.js';
import type { Amount } from '../progress.js';
import type { JobContext } from '../job-context.js';

export class RateLimiter {
  readonly #limit: RateLimit | undefined;
  readonly #context: Pick<JobContext, 'clock' | 'signal'>;
  /** When all that was read is paid for. */
  #paidMs = 0;

  /** Without a limit it holds nothing back. */
  constructor(limit: RateLimit | undefined, context: Pick<JobContext, 'clock' | 'signal'>) {
    this.#limit = limit;
    this.#context = context;
  }

  /** Resolves when what was read beyond `before` is paid for. Time that was lost is not made up for by haste. */
  async pay(before: Amount, { count, bytes }: Amount): Promise<void> {
    if (this.#limit === undefined) return;
    const { unit, perSecond } = this.#limit;
    const amount = unit === 'documents' ? count - before.count : bytes - before.bytes;
    const nowMs = this.#context.clock.monotonicMs();
    this.#paidMs = Math.max(this.#paidMs, nowMs) + (amount / perSecond) * 1000;
    await pause(this.#paidMs - nowMs, this.#context.signal);
  }
}
