/** Trying again with growing pauses until a deadline. Only for what is harmless to repeat. */
import pRetry from 'p-retry';
import { onAbort } from './deadline.js';

export interface RetryOptions {
  /** No new try begins later than this after the first. */
  readonly deadlineMs: number;
  /**
   * The first pause; each later one is half as long again, up to `longestPauseMs`. When left out 250 ms, or a hundredth of
   * the deadline where that is shorter: a short deadline, too, leaves room for many tries.
   */
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  readonly signal: AbortSignal;
  /** Whether a further try can help. */
  readonly isTransient: (error: unknown) => boolean;
  /** Told of each failure that will be tried again. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/** Resolves with the first success; rejects with the last failure itself, or with the signal's reason. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { deadlineMs, longestPauseMs = 5000, signal, isTransient, onRetry } = options;
  const { firstPauseMs = Math.min(250, deadlineMs / 100) } = options;
  let lastError: unknown;
  // A signal of its own: p-retry listens to what it is given, and many tries may be under way on one signal.
  const stopped = new AbortController();
  const takeBack = onAbort(signal, () => stopped.abort(signal.reason));
  try {
    return await pRetry(
      async () => {
        try {
          return await attempt();
        } catch (error) {
          lastError = error;
          // p-retry demands Error objects and gives up at once on some TypeErrors: carry ours as the cause.
          throw new Error('attempt failed', { cause: error });
        }
      },
      {
        retries: Number.MAX_SAFE_INTEGER,
        factor: 1.5,
        minTimeout: firstPauseMs,
        maxTimeout: longestPauseMs,
        maxRetryTime: deadlineMs,
        signal: stopped.signal,
        shouldRetry: ({ error }) => isTransient(error.cause),
        onFailedAttempt: ({ error, attemptNumber }) => {
          if (isTransient(error.cause)) onRetry?.(error.cause, attemptNumber);
        },
      },
    );
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw lastError ?? error;
  } finally {
    takeBack();
  }
}
