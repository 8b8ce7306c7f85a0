/**
 * Writing an archive to stdout where it is a file. Another process may have it open as well: one more run with the same
 * `> FILE` truncates it, and what this one writes on at its own position leaves a hole before it.
 */
import { fstatSync, fsync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ByteSink } from '../archive/io/output.js';
import { describeDescriptor } from '../base/descriptor.js';
import { errorCode, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';

/** `write` writes all bytes at the descriptor's own position. */
export function regularFileSink(fd: number, write: (bytes: Buffer) => Promise<void>): ByteSink {
  const samples = new Samples();
  let endBytes: number | undefined;
  const assertSize = (): number => {
    const { size } = fstatSync(fd);
    endBytes ??= startOf(fd);
    if (size === endBytes) return size;
    throw sharedFile(`it has ${size} bytes where ${endBytes} are written`);
  };
  return {
    async write(bytes) {
      const start = assertSize();
      await write(bytes);
      samples.take(bytes, start);
      endBytes = start + bytes.length;
    },
    async commit() {
      await syncFile(fd);
      assertSize();
      await samples.compare(fd);
    },
  };
}

function startOf(fd: number): number {
  const { appends, position, sizeBytes } = describeDescriptor(fd);
  return appends ? sizeBytes : (position ?? sizeBytes);
}

function sharedFile(how: string): JobError {
  return new JobError(ExitCode.output, `stdout is a file that another process writes to or truncates, too: ${how}`);
}

/** A redirected file is on disk only after fsync; a network file system reports a full disk no earlier. */
export async function syncFile(fd: number): Promise<void> {
  try {
    await promisify(fsync)(fd);
  } catch (error) {
    // A file system that has no fsync has nothing to report, either.
    if (!['EINVAL', 'ENOSYS', 'ENOTSUP'].includes(errorCode(error) ?? '')) throw error;
  }
}

const maxSamples = 1024;
const sampleBytes = 32;

/**
 * A few bytes of what was written here and there, to be found again at the end: a file that was truncated in the middle
 * of a write has the right size again after it, and zeros or another's bytes before.
 */
class Samples {
  #taken: { readonly position: number; readonly bytes: Buffer }[] = [];
  #writes = 0;
  #interval = 1;

  take(bytes: Buffer, position: number): void {
    this.#writes += 1;
    if (this.#writes % this.#interval !== 0) return;
    // Zeros would be found in a hole as well.
    const offset = bytes.findIndex((byte) => byte !== 0);
    if (offset < 0) return;
    const sample = Buffer.from(bytes.subarray(offset, offset + sampleBytes));
    this.#taken.push({ position: position + offset, bytes: sample });
    if (this.#taken.length < maxSamples) return;
    this.#taken = this.#taken.filter((_, index) => index % 2 === 1);
    this.#interval *= 2;
  }

  /** Throws a JobError where one is not found. A file that may not be read, or no /proc, is no failure. */
  async compare(fd: number): Promise<void> {
    const file = await open(`/proc/self/fd/${fd}`, 'r').catch(() => undefined);
    if (file === undefined) return;
    try {
      for (const { position, bytes } of this.#taken) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes.length), 0, bytes.length, position);
        if (!buffer.subarray(0, bytesRead).equals(bytes)) throw sharedFile(`byte ${position} is not what was written`);
      }
    } finally {
      await file.close();
    }
  }
}
