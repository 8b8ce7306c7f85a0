/** gzip and zstd, by Node's zlib: written on request, read wherever they are met. */
import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Compression } from '../../model/wrapping.js';
import { DamagedInputError } from '../io/damaged-input.js';
import type { ByteTransform } from '../io/transformed-output.js';

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
  return (chunks) => through(chunks, create, compression);
}

/**
 * Gives what is compressed in the chunks, of all members and frames, and reads them to their end. Throws
 * DamagedInputError where that is not all, or what `chunks` throws.
 */
export function decompress(chunks: AsyncIterable<Uint8Array>, compression: Compression): AsyncGenerator<Buffer, void> {
  const create = compression === 'gzip' ? zlib.createGunzip : createZstdDecompress;
  if (create === undefined) throw new TypeError('demandAvailable was not called');
  return through(chunks, create, compression);
}

/** Through as many codecs as it takes: Node's gunzip reads all members, its zstd one frame. */
async function* through(
  chunks: AsyncIterable<Uint8Array>,
  create: Factory,
  compression: Compression,
): AsyncGenerator<Buffer, void, undefined> {
  const source = new Leftover(chunks);
  try {
    do {
      const codec = create({ chunkSize });
      // A failure comes out of the loop below, and of nowhere else when nobody loops any more.
      codec.on('error', () => undefined);
      const feeding = feed(source, codec);
      feeding.catch(() => undefined);
      try {
        for await (const chunk of codec.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
        // The codec may end before its input does: what comes then may hold an error, or more.
        await feeding;
      } finally {
        codec.destroy();
        await feeding.catch(() => undefined);
      }
      if (compression === 'gzip' && source.isLeft)
        throw new DamagedInputError('goes on after the end of its gzip data');
    } while (source.isLeft);
  } catch (error) {
    const isZlibs = /^(Z_|ZSTD_)/.test(errorCode(error) ?? '');
    if (!isZlibs) throw error;
    throw new DamagedInputError(`is damaged ${compression} data: ${errorText(error)}`, { cause: error });
  } finally {
    await source.close();
  }
}

/** Chunks of which one may be given back in part. */
class Leftover {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #left: Uint8Array | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  get isLeft(): boolean {
    return this.#left !== undefined;
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

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** Resolves when the codec has taken all, or what it wants: the rest is given back. */
async function feed(source: Leftover, codec: ReturnType<Factory>): Promise<void> {
  try {
    let bytes = 0;
    for (let chunk = await source.next(); chunk !== undefined; chunk = await source.next()) {
      // Each is taken before the next: a codec that is ended with one at hand adds an empty zstd frame.
      await write(codec, chunk);
      bytes += chunk.length;
      const restBytes = bytes - codec.bytesWritten;
      if (restBytes === 0) continue;
      source.giveBack(chunk.subarray(chunk.length - restBytes));
      break;
    }
    codec.end();
  } catch (error) {
    codec.destroy(error as Error);
    throw error;
  }
}

function write(codec: Transform, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // A codec that is closed may never call back.
    const onClose = (): void => reject(new Error('the codec was closed'));
    codec.once('close', onClose);
    codec.write(chunk, (error) => {
      codec.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
