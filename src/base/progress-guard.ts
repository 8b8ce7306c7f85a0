/** An input that must get on: one that trickles never stalls, and would keep its reader for ever. */

export interface ProgressGuard {
  /** How long its reader may wait for it, all in all, without progress. The time that the reader takes does not count. */
  readonly windowMs: number;
  /** A number that grows with progress; it is told how many bytes have passed. */
  readonly progress: (bytes: number) => number;
  readonly monotonicMs: () => number;
  readonly onStall: () => Error;
}

/** Passes the chunks on. Throws `onStall()` after the chunk with which the waiting without progress exceeds the window. */
export async function* guardProgress(
  chunks: AsyncIterable<Buffer>,
  { windowMs, progress, monotonicMs, onStall }: ProgressGuard,
): AsyncGenerator<Buffer, void, undefined> {
  let waitedMs = 0;
  let bytes = 0;
  let last = progress(bytes);
  let askedAtMs = monotonicMs();
  for await (const chunk of chunks) {
    bytes += chunk.length;
    const reached = progress(bytes);
    waitedMs = (reached > last ? 0 : waitedMs) + monotonicMs() - askedAtMs;
    last = reached;
    if (waitedMs > windowMs) throw onStall();
    yield chunk;
    askedAtMs = monotonicMs();
  }
}
