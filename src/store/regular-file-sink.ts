/**
 * An archive to stdout where stdout is a file. Another process may write to it, too: a second run with the same `> FILE`
 * truncates it, and what this run then writes at its own position leaves a hole before it.
 */
import { fstatSync, fsync, openSync, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { ByteSink } from '../model/archive-stream.js';
import { describeDescriptor } from './descriptor.js';
import { errorCode, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';

/** `write` writes all bytes at the descriptor's own position. */
export function regularFileSink(fd: number, write: (bytes: Buffer) => Promise<void>): ByteSink {
  let tail: Tail | undefined;
  let endBytes: number | undefined;
  const assertSize = (): number => {
    const { size } = fstatSync(fd);
    endBytes ??= startOf(fd);
    if (size === endBytes) return size;
    throw sharedFileError(`it has ${size} bytes instead of ${endBytes}`);
  };
  return {
    async write(bytes) {
      const start = assertSize();
      await write(bytes);
      tail ??= new Tail(fd);
      tail.assertUnchanged();
      tail.keep(bytes, start);
      endBytes = start + bytes.length;
    },
    async commit() {
      await syncFile(fd);
      assertSize();
      tail?.assertUnchanged();
    },
  };
}

function startOf(fd: number): number {
  const { appends, position, sizeBytes } = describeDescriptor(fd);
  return appends ? sizeBytes : (position ?? sizeBytes);
}

function sharedFileError(how: string): JobError {
  return new JobError(ExitCode.output, `stdout is a file that another process also writes to or truncates: ${how}`);
}

/** A redirected file is on disk only after fsync; a network file system reports a full disk no earlier. */
export async function syncFile(fd: number): Promise<void> {
  try {
    await promisify(fsync)(fd);
  } catch (error) {
    // Of a file system without fsync.
    if (!['EINVAL', 'ENOSYS', 'ENOTSUP'].includes(errorCode(error) ?? '')) throw error;
  }
}

const tailBytes = 32;

/**
 * The last bytes that were written, compared after the next write: a file that is truncated in the middle of a write has
 * the right size again after it, but a hole before.
 */
class Tail {
  readonly #fd: number | undefined;
  #position = 0;
  #bytes = Buffer.alloc(0);

  /** Compares nothing where the file cannot be read, or without /proc. */
  constructor(fd: number) {
    try {
      this.#fd = openSync(`/proc/self/fd/${fd}`, 'r');
    } catch {
      this.#fd = undefined;
    }
  }

  /** Without zeros at the end, which a hole has, too. */
  keep(bytes: Buffer, position: number): void {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end -= 1;
    if (end === 0) return;
    const start = Math.max(0, end - tailBytes);
    this.#bytes = Buffer.from(bytes.subarray(start, end));
    this.#position = position + start;
  }

  assertUnchanged(): void {
    if (this.#fd === undefined) return;
    const found = Buffer.alloc(this.#bytes.length);
    readSync(this.#fd, found, 0, found.length, this.#position);
    if (!found.equals(this.#bytes)) throw sharedFileError(`byte ${this.#position} is not what was written`);
  }
}
