/**
 * A temporary file without a name: mode 0600, unlinked as soon as it is open, so that it disappears however the process
 * ends. Synchronous: small reads and writes are served by the page cache.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, errorText, JobError } from './errors.js';
import { ExitCode } from './exit-codes.js';

const chunkBytes = 256 * 1024;

/** Every call throws a JobError with exit code 8 when the file fails. */
export class SpoolFile implements Disposable {
  readonly #directory: string;
  readonly #fd: number;
  #size = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.#fd = this.#translate(() => {
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

  /** Gives the position of the first byte. */
  append(...pieces: readonly Buffer[]): number {
    const start = this.#size;
    this.#translate(() => {
      for (const piece of pieces) {
        for (let done = 0; done < piece.length;) {
          done += writeSync(this.#fd, piece, done, piece.length - done, this.#size + done);
        }
        this.#size += piece.length;
      }
    });
    return start;
  }

  /** Fills `target`, or as much of it as there is up to the end of the file, and gives that part. */
  read(target: Buffer, position: number): Buffer {
    return this.#translate(() => {
      let done = 0;
      for (let count = -1; done < target.length && count !== 0; done += count) {
        count = readSync(this.#fd, target, done, target.length - done, position + done);
      }
      return target.subarray(0, done);
    });
  }

  /** All of it, from its first byte, in buffers of their own. */
  *chunks(): Generator<Buffer, void, undefined> {
    for (let at = 0; at < this.#size;) {
      const chunk = this.read(Buffer.allocUnsafe(Math.min(chunkBytes, this.#size - at)), at);
      if (chunk.length === 0) throw new Error('a temporary file is shorter than what was written to it');
      at += chunk.length;
      yield chunk;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #translate<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      const reason = errorCode(error) === 'ENOSPC' ? 'the disk is full' : errorText(error);
      const message = `cannot keep a temporary file in ${this.#directory} (TMPDIR names another directory): ${reason}`;
      throw new JobError(ExitCode.output, message, { cause: error });
    }
  }
}
