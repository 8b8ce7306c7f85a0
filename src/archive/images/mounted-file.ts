/** An open file of a mounted storage while it is packed: its bytes as promised, and what became of it. */
import { fstatSync, readSync, type BigIntStats } from 'node:fs';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';

const chunkBytes = 256 * 1024;

export class MountedFile {
  readonly stats: BigIntStats;
  readonly bytes: number;
  readonly #path: string;
  readonly #file: number;
  #missingBytes = 0;

  /** `file` is open, and stays the caller's to close. */
  constructor(path: string, file: number) {
    this.stats = fstatSync(file, { bigint: true });
    this.bytes = Number(this.stats.size);
    this.#path = path;
    this.#file = file;
  }

  /** Exactly `bytes` of it, whatever becomes of the file: what it lacks in the end is zeros, and `changes` tells. */
  *body(): Generator<Buffer, void, undefined> {
    let position = 0;
    while (position < this.bytes) {
      const buffer = Buffer.allocUnsafe(Math.min(this.bytes - position, chunkBytes));
      const bytesRead = this.#read(buffer, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    this.#missingBytes = this.bytes - position;
    const zeros = Buffer.alloc(Math.min(this.#missingBytes, chunkBytes));
    for (; position < this.bytes; position += zeros.length) yield zeros.subarray(0, this.bytes - position);
  }

  /** What happened to it since it was opened, in words; asked after the body. */
  changes(): string | undefined {
    const missing = this.#missingBytes;
    if (missing > 0) return `shrank while it was read: its last ${missing} bytes are zeros in the archive`;
    const after = fstatSync(this.#file, { bigint: true });
    const isSame = after.size === this.stats.size && after.mtimeNs === this.stats.mtimeNs;
    return isSame ? undefined : 'changed while it was read';
  }

  /** Gives how many bytes there were. */
  #read(buffer: Buffer, position: number): number {
    try {
      return readSync(this.#file, buffer, 0, buffer.length, position);
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
