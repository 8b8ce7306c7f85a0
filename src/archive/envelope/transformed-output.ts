/** An output that changes what is written to it (compresses, encrypts) on its way into another output. */
import type { Output } from '../../model/archive-stream.js';

/** Gives what comes of the chunks. Its end is that of the chunks; what it throws fails the output. */
export type ByteTransform = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** Larger chunks go through in pieces: a transform may hold several copies of one. */
const pieceBytes = 1024 * 1024;

/** Owns `inner`: commits and disposes it. `how` says what the transform does, for messages: `encrypted`. */
export function transformedOutput(inner: Output, transform: ByteTransform, how: string): Output {
  const pieces = new TransformStream<Uint8Array, Uint8Array>();
  const writer = pieces.writable.getWriter();
  let bytes = 0;
  const discarded = new AbortController();
  const flowing = (async () => {
    for await (const chunk of transform(pieces.readable)) {
      discarded.signal.throwIfAborted();
      await inner.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      bytes += chunk.byteLength;
    }
  })();
  let failure: { readonly error: unknown } | undefined;
  let failStep: ((error: unknown) => void) | undefined;
  flowing.catch((error: unknown) => {
    failure = { error };
    failStep?.(error);
  });
  /** A transform that fails ends its input first, and only then says why: that is what the step fails with. */
  const fed = (step: Promise<void>): Promise<void> =>
    new Promise((resolve, reject) => {
      failStep = reject;
      step.then(resolve, () => undefined);
      if (failure !== undefined) failStep(failure.error);
    });
  return {
    name: inner.name,
    get wrapped() {
      return { bytes, how };
    },
    async write(chunk) {
      for (let start = 0; start < chunk.length; start += pieceBytes) {
        // A copy: the caller may use the chunk again as soon as the transform has taken it, but not read it all.
        const piece = Uint8Array.from(chunk.subarray(start, start + pieceBytes));
        await fed(writer.write(piece));
      }
    },
    async commit() {
      await fed(writer.close());
      await flowing;
      await inner.commit();
    },
    async [Symbol.asyncDispose]() {
      // Aborted, not closed: what was written must never look finished.
      discarded.abort();
      writer.abort(discarded.signal.reason).catch(() => undefined);
      await inner[Symbol.asyncDispose]();
    },
  };
}
