/** The first bytes of a stream, and the rest of it. */

export interface Split {
  /** Shorter than asked for only where the stream is. */
  readonly head: Buffer;
  /** Whoever has it must read it to its end or close it. */
  readonly rest: AsyncIterable<Buffer>;
}

export async function splitAt(chunks: AsyncIterable<Buffer>, count: number): Promise<Split> {
  const iterator = chunks[Symbol.asyncIterator]();
  const pieces: Buffer[] = [];
  let bytes = 0;
  while (bytes < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    pieces.push(next.value);
    bytes += next.value.length;
  }
  const all = Buffer.concat(pieces);
  return { head: all.subarray(0, count), rest: following(all.subarray(count), iterator) };
}

export function joined(head: Buffer, rest: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  return following(head, rest[Symbol.asyncIterator]());
}

async function* following(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
