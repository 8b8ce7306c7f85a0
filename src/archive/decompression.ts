/** Archives that somebody compressed: gzip is recognised by its first bytes and read through. */
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { errorCode, errorText } from '../base/errors.js';

/** The compressed bytes are cut short or altered. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError';
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);

/** Gives the bytes as they are, or what is in them when they are gzip. Throws DamagedInputError, or what `chunks` throws. */
export async function* decompress(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    let head = Buffer.alloc(0);
    while (head.length < gzipMagic.length) {
      const next = await iterator.next();
      if (next.done === true) break;
      head = Buffer.concat([head, next.value]);
    }
    const all = rejoin(head, iterator);
    yield* head.subarray(0, gzipMagic.length).equals(gzipMagic) ? gunzip(all) : all;
  } finally {
    await iterator.return?.();
  }
}

async function* rejoin(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield head;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}

async function* gunzip(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const plain = createGunzip({ chunkSize: 256 * 1024 });
  // A failure destroys `plain`, and so comes out of the loop below.
  const feeding = pipeline(compressed, plain).catch(() => undefined);
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    const isZlibs = errorCode(error)?.startsWith('Z_') === true;
    throw isZlibs ? new DamagedInputError(`is damaged gzip data: ${errorText(error)}`, { cause: error }) : error;
  } finally {
    plain.destroy();
    await feeding;
  }
}
