/** Waiting with an end: bounds in time and aborts, for promises that know neither. */

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
  let timer: NodeJS.Timeout | undefined;
  const waiting = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await race(waiting, signal);
  } finally {
    clearTimeout(timer);
  }
}

const callbacksBySignal = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `callback` once when the signal aborts, at once where it has. Gives the function that takes it back. However
 * many wait, the signal has one listener: one signal ends a whole run, and Node warns on stderr of more than ten, which
 * a snapshot of eleven tables has.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  const callbacks = callbacksBySignal.get(signal) ?? listenTo(signal);
  // Wrapped, so that one function given twice is called twice.
  const entry = (): void => callback();
  callbacks.add(entry);
  return () => void callbacks.delete(entry);
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  callbacksBySignal.set(signal, callbacks);
  signal.addEventListener(
    'abort',
    () => {
      for (const callback of callbacks) callback();
      callbacks.clear();
    },
    { once: true },
  );
  return callbacks;
}

async function race<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let takeBack = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    takeBack = onAbort(signal, () => reject(signal.reason as Error));
  });
  // Whichever loses the race may still reject, and nobody listens to it any more.
  aborted.catch(() => undefined);
  promise.catch(() => undefined);
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    takeBack();
  }
}
