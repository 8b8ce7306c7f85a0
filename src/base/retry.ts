/** Trying again with growing pauses until a deadline. Only for what is harmless to repeat. */
import { pause } from './deadline.js';

export interface RetryOptions {
  /** No new try begins later than this after the first. */
  readonly deadlineMs: number;
  /**
   * The first pause; each later one is half as long again, up to `longestPauseMs`. When left out 250 ms, or a hundredth of
   * the deadline where that is shorter: a short deadline, too, leaves room for many tries.
   */
  readonly firstPauseMs?: number;
  readonly maxPauseMs?: number;
  readonly signal: AbortSignal;
  /** Whether a further try can help. */
  readonly isTransient: (error: unknown) => boolean;
  /** Told of each failure that will be tried again. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/** Resolves with the first success; rejects with the last failure itself, or with the signal's reason. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { deadlineMs, maxPauseMs = 5000, signal, isTransient, onRetry } = options;
  const { firstPauseMs = Math.min(250, deadlineMs / 100) } = options;
  const endMs = performance.now() + deadlineMs;
  let pauseMs = firstPauseMs;
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      const result = await attempt();
      signal.throwIfAborted();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      const leftMs = endMs - performance.now();
      if (leftMs <= 0 || !isTransient(error)) throw error;
      onRetry?.(error, tries);
      await pause(Math.min(pauseMs, maxPauseMs, leftMs), signal);
      pauseMs *= 1.5;
    }
  }
}
