/** gzip and zstd, by Node's zlib: written on request, read wherever they are met. */
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Compression } from '../../model/envelope.js';
import { DamagedInputError } from '../damaged-input.js';
import { Leftover } from './leftover.js';
import { assertWindow, frameHeadBytes, frameKind, skippedBytes } from './zstd-frame.js';
import type { ByteTransform } from './transformed-output.js';

const chunkSize = 256 * 1024;

/** What Node's zlib has from 22.15 on; the types are of the oldest Node we run on. */
type Factory = (options: {
  readonly chunkSize: number;
  readonly writableHighWaterMark: number;
}) => Transform & { readonly bytesWritten: number };
const { createZstdCompress, createZstdDecompress } = zlib as {
  readonly createZstdCompress?: Factory;
  readonly createZstdDecompress?: Factory;
};

const gzipMagic = Buffer.from([0x1f, 0x8b]);

/** What `head`, the first bytes of something, is compressed with. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.indexOf(gzipMagic) === 0) return 'gzip';
  return frameKind(head) === undefined ? undefined : 'zstd';
}

/** Whether this Node can write and read it. */
export function isAvailable(compression: Compression): boolean {
  return compression === 'gzip' || createZstdCompress !== undefined;
}

/** Throws a JobError with exit code 2 where this Node cannot. */
export function assertAvailable(compression: Compression, purpose: string): void {
  if (isAvailable(compression)) return;
  const message = `this Node cannot ${purpose} zstd: use Node 22.15 or newer, which the image has`;
  throw new JobError(ExitCode.usage, message);
}

export function compress(compression: Compression): ByteTransform {
  const create = compression === 'gzip' ? zlib.createGzip : createZstdCompress;
  if (create === undefined) throw new TypeError('assertAvailable was not called');
  return async function* (chunks) {
    const source = new Leftover(chunks);
    try {
      yield* through(source, create);
    } finally {
      await source.close();
    }
  };
}

/**
 * Gives what is compressed in the chunks, of all members and frames, and reads them to their end. Throws
 * DamagedInputError where that is not all, a JobError with exit code 2 where zstd wants more memory than the limit, or
 * what `chunks` throws.
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Buffer, void, undefined> {
  const source = new Leftover(chunks);
  try {
    if (compression === 'gzip') yield* gunzip(source);
    else yield* unzstd(source);
  } catch (error) {
    const isZlibs = /^(Z_|ZSTD_)/.test(errorCode(error) ?? '');
    if (!isZlibs) throw error;
    throw new DamagedInputError(`is damaged ${compression} data: ${errorText(error)}`, { cause: error });
  } finally {
    await source.close();
  }
}

/** Node's gunzip reads all members. Zeros may follow, as `gzip -t` has it: tapes and block devices are padded with them. */
async function* gunzip(source: Leftover): AsyncGenerator<Buffer, void, undefined> {
  yield* through(source, zlib.createGunzip);
  for (let rest = await source.next(); rest !== undefined; rest = await source.next()) {
    if (rest.some((byte) => byte !== 0)) throw new DamagedInputError('goes on after the end of its gzip data');
  }
}

/** Node's zstd reads one frame, and none that is to be passed over. */
async function* unzstd(source: Leftover): AsyncGenerator<Buffer, void, undefined> {
  if (createZstdDecompress === undefined) throw new TypeError('assertAvailable was not called');
  for (let head = await source.peek(frameHeadBytes); head.length > 0; head = await source.peek(frameHeadBytes)) {
    const kind = frameKind(head);
    if (kind === undefined) throw new DamagedInputError('goes on after the end of its zstd data');
    if (kind === 'skippable') await skip(source, skippedBytes(head));
    else {
      assertWindow(head);
      yield* through(source, createZstdDecompress);
    }
  }
}

async function skip(source: Leftover, count: number): Promise<void> {
  for (let left = count; left > 0;) {
    const chunk = await source.next();
    if (chunk === undefined) throw new DamagedInputError('is damaged zstd data: a frame of it is cut short');
    if (chunk.length > left) source.giveBack(chunk.subarray(left));
    left -= Math.min(left, chunk.length);
  }
}

async function* through(source: Leftover, create: Factory): AsyncGenerator<Buffer, void, undefined> {
  // Each chunk is taken before the next: a codec that is ended with one at hand adds an empty zstd frame.
  const codec = create({ chunkSize, writableHighWaterMark: 1 });
  const feeding = pipeline(upToItsEnd(source, codec), codec);
  // A failure comes out of the loop below, and of nowhere else when nobody loops any more.
  feeding.catch(() => undefined);
  try {
    for await (const chunk of codec.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    // The codec may end before its input does: what comes then may hold an error, or more.
    await feeding;
  } finally {
    codec.destroy();
    await feeding.catch(() => undefined);
  }
}

/** What the codec takes: the rest is given back. */
async function* upToItsEnd(source: Leftover, codec: ReturnType<Factory>): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for (let chunk = await source.next(); chunk !== undefined; chunk = await source.next()) {
    yield chunk;
    bytes += chunk.length;
    const restBytes = bytes - codec.bytesWritten;
    if (restBytes === 0) continue;
    source.giveBack(chunk.subarray(chunk.length - restBytes));
    return;
  }
}
