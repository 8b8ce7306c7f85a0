/** An open file of a mounted storage while it is packed: where it has data, its bytes as promised, what became of it. */
import { fstatSync, read, readSync, type BigIntStats } from 'node:fs';
import { promisify } from 'node:util';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { zeros, type Segment } from '../tar/sparse.js';

const chunkBytes = 256 * 1024;
const readLater = promisify(read);

/** Holes smaller than this are not worth an entry in a map. */
const leastHoleBytes = 64 * 1024;

/** A file is looked at in no more blocks than this, larger ones in larger blocks: so its map stays small. */
const mostBlocks = 32 * 1024;

export class MountedFile {
  readonly stats: BigIntStats;
  readonly bytes: number;
  readonly #path: string;
  readonly #file: number;
  #segments: readonly Segment[];
  #missingBytes = 0;

  /** `file` is open, and stays the caller's to close. */
  constructor(path: string, file: number) {
    this.stats = fstatSync(file, { bigint: true });
    this.bytes = Number(this.stats.size);
    this.#path = path;
    this.#file = file;
    this.#segments = [{ offset: 0, bytes: this.bytes }];
  }

  /**
   * Where it has data; undefined where that is everywhere. Node cannot ask the file system (SEEK_HOLE), so what occupies
   * less of it than its size is read, for blocks of zeros. Once asked, the body has zeros between the segments whatever
   * is written there meanwhile.
   */
  async segments(): Promise<readonly Segment[] | undefined> {
    const occupiedBytes = Number(this.stats.blocks) * 512;
    if (this.bytes - occupiedBytes < leastHoleBytes) return undefined;
    const blockBytes = Math.max(leastHoleBytes, 2 ** Math.ceil(Math.log2(this.bytes / mostBlocks)));
    const buffer = Buffer.allocUnsafe(blockBytes);
    const zeroBlock = Buffer.alloc(blockBytes);
    const found: { offset: number; bytes: number }[] = [];
    for (let offset = 0; offset < this.bytes; offset += blockBytes) {
      const bytes = Math.min(blockBytes, this.bytes - offset);
      // What cannot be read whole has its say in the body.
      const isRead = (await this.#read(buffer, offset)) >= bytes;
      if (isRead && buffer.compare(zeroBlock, 0, bytes, 0, bytes) === 0) continue;
      const last = found.at(-1);
      if (last !== undefined && last.offset + last.bytes === offset) last.bytes += bytes;
      else found.push({ offset, bytes });
    }
    const [first] = found;
    if (first?.bytes === this.bytes) return undefined;
    this.#segments = found;
    return found;
  }

  /** Exactly `bytes` of it, whatever becomes of the file: what it lacks in the end is zeros, and `changes` tells. */
  async *body(): AsyncGenerator<Buffer, void, undefined> {
    let position = 0;
    for (const { offset, bytes } of this.#segments) {
      yield* zeros(offset - position);
      position = offset;
      for (let left = bytes; left > 0;) {
        const buffer = Buffer.allocUnsafe(Math.min(left, chunkBytes));
        const bytesRead = await this.#read(buffer, position);
        if (bytesRead === 0) {
          this.#missingBytes = this.bytes - position;
          break;
        }
        position += bytesRead;
        left -= bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      if (this.#missingBytes > 0) break;
    }
    yield* zeros(this.bytes - position);
  }

  /** What happened to it since it was opened, in words; asked after the body. */
  changes(): string | undefined {
    const missing = this.#missingBytes;
    if (missing > 0) return `shrank while it was read: its last ${missing} bytes are zeros in the archive`;
    const after = fstatSync(this.#file, { bigint: true });
    const isSame = after.size === this.stats.size && after.mtimeNs === this.stats.mtimeNs;
    return isSame ? undefined : 'changed while it was read';
  }

  /** Gives how many bytes there were. Small files are read at once: see mounted-storage.ts. */
  async #read(buffer: Buffer, position: number): Promise<number> {
    try {
      if (this.bytes <= chunkBytes) return readSync(this.#file, buffer, 0, buffer.length, position);
      return (await readLater(this.#file, buffer, 0, buffer.length, position)).bytesRead;
    } catch (error) {
      throw readFailure(this.#path, error);
    }
  }
}

/** The JobError of what cannot be read: exit code 2 where it is forbidden, 5 where the disk fails. */
export function readFailure(path: string, error: unknown): JobError {
  if (['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) {
    const message = `may not read ${path}: run the job as root (docker run --user 0)`;
    return new JobError(ExitCode.usage, message, { cause: error });
  }
  return new JobError(ExitCode.replica, `cannot read ${path}: ${errorText(error)}`, { cause: error });
}
