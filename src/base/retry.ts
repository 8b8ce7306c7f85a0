/** Trying again with growing pauses until a deadline. Only for what is harmless to repeat. */
import { pause } from './deadline.js';

interface RetryOptions {
  /** No new attempt begins later than this after the first. */
  readonly deadlineMs: number;
  /**
   * The first pause; each later one is half as long again, up to `maxPauseMs`. When left out 250 ms, or a hundredth of
   * the deadline where that is shorter, which leaves room for many attempts.
   */
  readonly firstPauseMs?: number;
  /** 5 s when left out. */
  readonly maxPauseMs?: number;
  readonly signal: AbortSignal;
  /** How long to wait at least after this failure, which says so itself; within the deadline. */
  readonly minPauseMs?: (error: unknown) => number;
  /** Whether another attempt can help. */
  readonly isTransient: (error: unknown) => boolean;
  /** Called with each failure that is followed by another attempt. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/** Resolves with the first success; rejects with the last failure itself, or with the signal's reason. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { deadlineMs, maxPauseMs = 5000, minPauseMs, signal, isTransient, onRetry } = options;
  const endMs = performance.now() + deadlineMs;
  let { firstPauseMs: pauseMs = Math.min(250, deadlineMs / 100) } = options;
  for (let attempts = 1; ; attempts += 1) {
    signal.throwIfAborted();
    try {
      const result = await attempt();
      signal.throwIfAborted();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      const leftMs = endMs - performance.now();
      if (leftMs <= 0 || !isTransient(error)) throw error;
      onRetry?.(error, attempts);
      await pause(Math.min(Math.max(Math.min(pauseMs, maxPauseMs), minPauseMs?.(error) ?? 0), leftMs), signal);
      pauseMs *= 1.5;
    }
  }
}
