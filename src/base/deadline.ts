/** Waiting with an end: time limits and aborts, for promises that know neither. */

/** Rejects with the signal's reason as soon as it aborts; the promise itself continues, and its outcome is ignored. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stopListening = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stopListening = onAbort(signal, () => reject(signal.reason as Error));
  });
  // The loser of the race may still reject.
  aborted.catch(() => undefined);
  promise.catch(() => undefined);
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    stopListening();
  }
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
    timer = setTimeout(() => reject(onTimeout()), timeoutMs);
  });
  try {
    const limited = Promise.race([promise, timeout]);
    return await (signal === undefined ? limited : abortable(limited, signal));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A signal that aborts `ms` after another one does, with its reason: for what must get its answer in spite of an abort.
 * `onAborted` is called when the wait begins. Disposing ends it.
 */
export function delayedSignal(
  signal: AbortSignal,
  ms: number,
  onAborted: () => void,
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stopListening = onAbort(signal, () => {
    onAborted();
    timer = setTimeout(() => controller.abort(signal.reason), ms);
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      stopListening();
      clearTimeout(timer);
    },
  };
}

/** Resolves after `ms`; rejects with the signal's reason when that comes first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await abortable(elapsed, signal);
  } finally {
    clearTimeout(timer);
  }
}

const callbacksBySignal = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `callback` once when the signal aborts, at once if it already has. Gives a function that cancels this. Adds at
 * most one listener to the signal: Node warns on stderr of more than ten, and one signal ends a whole run.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  const callbacks = callbacksBySignal.get(signal) ?? new Set();
  if (!callbacksBySignal.has(signal)) {
    callbacksBySignal.set(signal, callbacks);
    const callAll = (): void => {
      for (const call of callbacks) call();
      callbacks.clear();
    };
    signal.addEventListener('abort', callAll, { once: true });
  }
  // Wrapped, so that one function given twice is called twice.
  const entry = (): void => callback();
  callbacks.add(entry);
  return () => void callbacks.delete(entry);
}
