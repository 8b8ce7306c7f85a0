/** gzip and zstd, by Node's zlib: written on request, read wherever they are met. */
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Compression } from '../model/wrapping.js';
import { DamagedInputError } from './damaged-input.js';
import type { ByteTransform } from './transformed-output.js';

const chunkSize = 256 * 1024;

/** What Node's zlib has from 22.15 on; the types are of the oldest Node we run on. */
type Factory = (options: { readonly chunkSize: number }) => Transform & { readonly bytesWritten: number };
const { createZstdCompress, createZstdDecompress } = zlib as {
  readonly createZstdCompress?: Factory;
  readonly createZstdDecompress?: Factory;
};

const magics: Readonly<Record<Compression, Buffer>> = {
  gzip: Buffer.from([0x1f, 0x8b]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
};

/** What `head`, the first bytes of something, is compressed with. */
export function compressionOf(head: Buffer): Compression | undefined {
  return head.indexOf(magics.gzip) === 0 ? 'gzip' : head.indexOf(magics.zstd) === 0 ? 'zstd' : undefined;
}

/** Whether this Node can write and read it. */
export function isAvailable(compression: Compression): boolean {
  return compression === 'gzip' || createZstdCompress !== undefined;
}

/** Throws a JobError with exit code 2 where this Node cannot. */
export function demandAvailable(compression: Compression, purpose: string): void {
  if (isAvailable(compression)) return;
  const message = `this Node cannot ${purpose} zstd: use Node 22.15 or newer, which the image has`;
  throw new JobError(ExitCode.usage, message);
}

export function compress(compression: Compression): ByteTransform {
  const create = compression === 'gzip' ? zlib.createGzip : createZstdCompress;
  if (create === undefined) throw new TypeError('demandAvailable was not called');
  return (chunks) => through(chunks, create({ chunkSize }), compression);
}

/**
 * Gives what is compressed in the chunks, of all members and frames, and reads them to their end. Throws
 * DamagedInputError where that is not all, or what `chunks` throws.
 */
export function decompress(chunks: AsyncIterable<Uint8Array>, compression: Compression): AsyncGenerator<Buffer, void> {
  const create = compression === 'gzip' ? zlib.createGunzip : createZstdDecompress;
  if (create === undefined) throw new TypeError('demandAvailable was not called');
  return through(chunks, create({ chunkSize }), compression);
}

async function* through(
  chunks: AsyncIterable<Uint8Array>,
  codec: ReturnType<Factory>,
  compression: Compression,
): AsyncGenerator<Buffer, void, undefined> {
  let readBytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      readBytes += chunk.length;
      yield chunk;
    }
  };
  // A failure destroys the codec, and so comes out of the loop below.
  const feeding = pipeline(counted, codec);
  feeding.catch(() => undefined);
  try {
    for await (const chunk of codec.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    // The codec may end before its input does: what comes then may hold an error, and is no part of an archive.
    await feeding;
    const restBytes = readBytes - codec.bytesWritten;
    if (restBytes > 0)
      throw new DamagedInputError(`goes on for ${restBytes} bytes after the end of its ${compression} data`);
  } catch (error) {
    const isZlibs = /^(Z_|ZSTD_)/.test(errorCode(error) ?? '');
    if (!isZlibs) throw error;
    throw new DamagedInputError(`is damaged ${compression} data: ${errorText(error)}`, { cause: error });
  } finally {
    codec.destroy();
    await feeding.catch(() => undefined);
  }
}
