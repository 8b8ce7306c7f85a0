/**
 * A temporary file without a name: mode 0600, unlinked as soon as it is open, so that it is gone however the process
 * ends. Small reads and writes come from the page cache, and wait for no event loop.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, errorText, JobError } from './errors.js';
import { ExitCode } from './exit-codes.js';

export class SpoolFile implements Disposable {
  readonly #directory: string;
  readonly #fd: number;
  #size = 0;

  /** In this directory. Throws a JobError with exit code 8. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#fd = this.#attempt(() => {
      const own = mkdtempSync(join(directory, 'dtr-backup-'));
      try {
        return openSync(join(own, 'spool'), 'wx+', 0o600);
      } finally {
        rmSync(own, { recursive: true });
      }
    });
  }

  get size(): number {
    return this.#size;
  }

  /** Gives where the bytes begin. Throws a JobError with exit code 8. */
  append(...pieces: readonly Buffer[]): number {
    const start = this.#size;
    for (const piece of pieces) {
      this.#write(piece, this.#size);
      this.#size += piece.length;
    }
    return start;
  }

  #write(bytes: Buffer, position: number): void {
    this.#attempt(() => {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
      }
    });
  }

  /** Fills `target`; at most the file's end may cut it short, and what is read is given. */
  read(target: Buffer, position: number): Buffer {
    return this.#attempt(() => {
      let done = 0;
      for (let count = -1; done < target.length && count !== 0; done += count) {
        count = readSync(this.#fd, target, done, target.length - done, position + done);
      }
      return target.subarray(0, done);
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #attempt<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      const reason = errorCode(error) === 'ENOSPC' ? 'the disk is full' : errorText(error);
      const message = `cannot keep a temporary file in ${this.#directory} (TMPDIR names another directory): ${reason}`;
      throw new JobError(ExitCode.output, message, { cause: error });
    }
  }
}
