/** An output that transforms what is written to it (compresses, encrypts) and writes the result to another output. */
import type { Output } from '../../model/archive-stream.js';

/** Ends when the chunks end; what it throws fails the output. */
export type ByteTransform = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** A transform may hold several copies of a chunk, so large ones are split. */
const maxPieceBytes = 1024 * 1024;

/** Owns `inner`: commits and disposes it. `how` names the transform in messages: `encrypted`. */
export function transformedOutput(inner: Output, transform: ByteTransform, how: string): Output {
  const pieces = new TransformStream<Uint8Array, Uint8Array>();
  const writer = pieces.writable.getWriter();
  const discarded = new AbortController();
  let bytes = 0;
  const flowing = (async () => {
    for await (const chunk of transform(pieces.readable)) {
      discarded.signal.throwIfAborted();
      await inner.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      bytes += chunk.byteLength;
    }
  })();
  let failure: { readonly error: unknown } | undefined;
  let rejectStep: ((error: unknown) => void) | undefined;
  flowing.catch((error: unknown) => {
    failure = { error };
    rejectStep?.(error);
  });
  /** A step rejects with the transform's error, not with that of its closed input, which comes first. */
  const fed = (step: Promise<void>): Promise<void> =>
    new Promise((resolve, reject) => {
      rejectStep = reject;
      step.then(resolve, () => undefined);
      if (failure !== undefined) rejectStep(failure.error);
    });
  return {
    name: inner.name,
    get wrapped() {
      return { bytes, how };
    },
    async write(chunk) {
      for (let start = 0; start < chunk.length; start += maxPieceBytes) {
        // Copied: the transform may still read it when the caller uses its chunk again.
        await fed(writer.write(Uint8Array.from(chunk.subarray(start, start + maxPieceBytes))));
      }
    },
    async commit() {
      await fed(writer.close());
      await flowing;
      await inner.commit();
    },
    async [Symbol.asyncDispose]() {
      // Aborted, not closed: the output must not look complete.
      discarded.abort();
      writer.abort(discarded.signal.reason).catch(() => undefined);
      await inner[Symbol.asyncDispose]();
    },
  };
}
