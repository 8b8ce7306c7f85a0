/** Ends an input that makes too little progress: one that trickles never times out, and would keep its reader for ever. */

interface ProgressGuard {
  /** How long the reader may wait in all without progress. The time that the reader itself takes does not count. */
  readonly windowMs: number;
  /** A number that grows with progress; called with the bytes that have come. */
  readonly progress: (bytes: number) => number;
  readonly monotonicMs: () => number;
  readonly onStall: () => Error;
}

/** Passes the chunks on. Throws `onStall()` after the chunk with which the wait without progress exceeds the window. */
export async function* guardProgress(
  chunks: AsyncIterable<Buffer>,
  { windowMs, progress, monotonicMs, onStall }: ProgressGuard,
): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  let waitedMs = 0;
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
