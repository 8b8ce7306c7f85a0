/** gzip and zstd by Node's zlib: written on request, detected when reading. */
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Compression } from '../../model/envelope.js';
import { DamagedInputError } from '../damaged-input.js';
import type { ByteSource } from '../tar/byte-source.js';
import type { ByteTransform } from './transformed-output.js';

type Codec = Transform & { readonly bytesWritten: number };
type Factory = (options: { readonly chunkSize: number; readonly writableHighWaterMark: number }) => Codec;

/** In Node from 22.15 on, see `isAvailable`; the types are those of the oldest supported Node. */
const { createZstdCompress, createZstdDecompress } = zlib as unknown as Readonly<
  Record<'createZstdCompress' | 'createZstdDecompress', Factory>
>;

// One chunk at a time: the zstd encoder, ended with a chunk still queued, adds an empty frame.
const options = { chunkSize: 256 * 1024, writableHighWaterMark: 1 };

const gzipMagic = Buffer.from([0x1f, 0x8b]);
const zstdMagic = 0xfd2fb528;
/** Of 16 kinds of frames without data; pzstd and others write one first. */
const skippableMagic = 0x184d2a50;

/** How many bytes `compressionOf` looks at. */
export const compressionHeadBytes = 4;

/** What `head`, the first bytes of a stream, is compressed with. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.indexOf(gzipMagic) === 0) return 'gzip';
  if (head.length < compressionHeadBytes) return undefined;
  const magic = head.readUInt32LE();
  return magic === zstdMagic || magic >>> 4 === skippableMagic >>> 4 ? 'zstd' : undefined;
}

/** Whether this Node can write and read it. */
export function isAvailable(compression: Compression): boolean {
  return compression === 'gzip' || 'createZstdCompress' in zlib;
}

/** Throws a JobError with exit code 2 where this Node cannot; `purpose` is the verb phrase before "zstd". */
export function assertAvailable(compression: Compression, purpose: string): void {
  if (isAvailable(compression)) return;
  const message = `this Node cannot ${purpose} zstd: use Node 22.15 or newer, which the image has`;
  throw new JobError(ExitCode.usage, message);
}

/** `assertAvailable` must have passed. */
export function compress(compression: Compression): ByteTransform {
  const create = compression === 'gzip' ? zlib.createGzip : createZstdCompress;
  return (chunks) => through(chunks, create(options));
}

/**
 * Decompresses all members or frames and reads the source to its end, or closes it. Throws DamagedInputError for
 * damaged, truncated and trailing data, a JobError with exit code 2 where zstd needs more memory than the limit, and
 * what the source throws. `assertAvailable` must have passed.
 */
export async function* decompress(
  source: ByteSource,
  compression: Compression,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* compression === 'gzip' ? gunzip(source) : unzstd(source);
  } catch (error) {
    const code = errorCode(error) ?? '';
    // Of a frame that needs more than 128 MiB, the decoder's default limit, which is `zstd -d`'s as well.
    if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
      const limit = 'the zstd data needs a window of more than 128 MiB (zstd --long=27), which is the limit';
      throw new JobError(ExitCode.usage, `${limit}: decompress it with zstd -d --long=31 first`, { cause: error });
    }
    if (!/^(Z_|ZSTD_)/.test(code)) throw error;
    throw new DamagedInputError(`is damaged ${compression} data: ${errorText(error)}`, { cause: error });
  } finally {
    await source.close();
  }
}

/** Node's gunzip reads all members. Zeros may follow, as for `gzip -t`: tapes and block devices are padded with them. */
async function* gunzip(source: ByteSource): AsyncGenerator<Buffer, void, undefined> {
  yield* decodeOne(source, zlib.createGunzip(options));
  for await (const rest of source.rest()) {
    if (rest.some((byte) => byte !== 0)) throw new DamagedInputError('has trailing bytes after its gzip data');
  }
}

/** Node's zstd decoder reads one frame. */
async function* unzstd(source: ByteSource): AsyncGenerator<Buffer, void, undefined> {
  while (await source.fill(1)) {
    const head = await source.peek(8);
    if (compressionOf(head) !== 'zstd') throw new DamagedInputError('has trailing bytes after its zstd data');
    if (head.readUInt32LE() === zstdMagic) yield* decodeOne(source, createZstdDecompress(options));
    else if (head.length < 8 || !(await source.skip(8 + head.readUInt32LE(4))))
      throw new DamagedInputError('is damaged zstd data: a frame is cut short');
  }
}

/** Decodes one stream or frame; the bytes after its end stay in the source. */
function decodeOne(source: ByteSource, codec: Codec): AsyncGenerator<Buffer, void, undefined> {
  const encoded = async function* (): AsyncGenerator<Buffer, void, undefined> {
    let before = 0;
    while (await source.fill(1)) {
      const chunk = source.buffer.subarray(source.offset);
      yield chunk;
      const usedBytes = codec.bytesWritten - before;
      source.advance(usedBytes);
      if (usedBytes < chunk.length) return;
      before += usedBytes;
    }
  };
  return through(encoded(), codec);
}

async function* through(chunks: AsyncIterable<Uint8Array>, codec: Transform): AsyncGenerator<Buffer, void, undefined> {
  const feeding = pipeline(chunks, codec);
  // Its failure comes out of the loop; without a reader, it is of no interest.
  feeding.catch(() => undefined);
  try {
    for await (const chunk of codec.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    // A decoder may end before its input does.
    await feeding;
  } finally {
    codec.destroy();
    await feeding.catch(() => undefined);
  }
}
