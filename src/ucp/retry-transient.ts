/** Trying again what failed for a passing reason, and telling the operator each time. */
import type { Log } from '../base/log.js';
import { retry } from '../base/retry.js';
import { UcpFailure } from './failures.js';

export interface RetryTransientOptions {
  /** No new try begins later than this after the first. */
  readonly windowMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Only for what is harmless to repeat. Rejects with the last failure, or with the signal's reason. */
export function retryTransient<T>(attempt: () => Promise<T>, options: RetryTransientOptions): Promise<T> {
  const { windowMs, signal, log } = options;
  return retry(attempt, {
    deadlineMs: windowMs,
    signal,
    isTransient: (error) => error instanceof UcpFailure && error.isTransient,
    onRetry: (error) => log.warn(`${(error as UcpFailure).message}; trying again`),
  });
}
