/** Chunks of which one may be given back in part, or looked at before it is taken. */
export class Leftover {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #left: Uint8Array | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  giveBack(chunk: Uint8Array): void {
    this.#left = chunk;
  }

  async next(): Promise<Uint8Array | undefined> {
    const left = this.#left;
    this.#left = undefined;
    if (left !== undefined) return left;
    const next = await this.#chunks.next();
    return next.done === true ? undefined : next.value;
  }

  /** The next `count` bytes, or fewer at the end, which stay where they are. */
  async peek(count: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < count) {
      const chunk = await this.next();
      if (chunk === undefined) break;
      pieces.push(chunk);
      bytes += chunk.length;
    }
    const all = together(pieces);
    if (all.length > 0) this.giveBack(all);
    return all.subarray(0, count);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** One piece is not copied: a chunk may be peeked at thousands of times, once for each tiny zstd frame in it. */
function together(pieces: readonly Uint8Array[]): Buffer {
  const [piece, ...more] = pieces;
  if (piece === undefined || more.length > 0) return Buffer.concat(pieces);
  return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}
