/** An output that keeps what is written to it, for tests of writers. */
import type { Output } from '#src/model/archive-stream.js';

export interface CollectedOutput extends Output {
  readonly bytes: () => Buffer;
  /** How often `write` was called, and the largest chunk. */
  readonly writes: number[];
}

export function collectOutput(): CollectedOutput {
  const chunks: Buffer[] = [];
  const writes: number[] = [];
  return {
    name: 'memory',
    writes,
    write: (chunk) => {
      // A copy: the writer may use the chunk again as soon as the write has resolved.
      chunks.push(Buffer.from(chunk));
      writes.push(chunk.length);
      return Promise.resolve();
    },
    commit: () => Promise.resolve(),
    bytes: () => Buffer.concat(chunks),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
