/** Waiting with an end: bounds in time and aborts, for promises that know neither. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Rejects with the signal's reason as soon as it aborts; the promise itself goes on unseen. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return race(promise, signal);
}

/** Rejects with `onTimeout()` when the promise has not settled after `timeoutMs`, or with the signal's reason. */
export async function withTimeout<T>(
  promise: Promise<T>,
  timeoutMs: number,
  onTimeout: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(onTimeout());
    }, timeoutMs);
  });
  try {
    return await race(Promise.race([promise, timeout]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `ms`; rejects with the signal's reason when that comes first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // The promise form of setTimeout rejects with an AbortError of its own; the signal's reason says more.
  await abortable(sleep(ms, undefined, { signal, ref: true }), signal);
}

async function race<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  // Whichever loses the race may still reject, and nobody listens to it any more.
  aborted.catch(() => undefined);
  promise.catch(() => undefined);
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
