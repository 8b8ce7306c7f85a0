/**
 * Where an archive goes. The awaited write is the only brake between RethinkDB and the reader of the archive: it
 * resolves when the operating system has taken the bytes.
 */
import { fstat, fsync, type Stats } from 'node:fs';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { abortable } from '../../base/deadline.js';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';

export interface Output extends AsyncDisposable {
  /** What operators call it in messages. */
  readonly name: string;
  /** Where what is written goes out in another form: how, and in how many bytes so far. */
  readonly wrapped?: { readonly bytes: number; readonly how: string };
  /** Resolves when the bytes have been taken; the chunk may be used again then. Throws a JobError with exit code 8. */
  write(chunk: Buffer): Promise<void>;
  /** Makes what was written final. Nothing may be written after it; without it, disposing discards what can be. */
  commit(): Promise<void>;
}

/**
 * An output over a stream that is not ours to close, which is stdout; `fd` is its file descriptor. A failed write is
 * dealt with in its callback: who opened the stream keeps the 'error' event that follows it from ending the process.
 */
export function streamOutput(stream: Writable, fd: number, signal: AbortSignal): Output {
  return {
    name: 'stdout',
    write: (chunk) => abortable(writeTo(stream, chunk), signal),
    async commit() {
      try {
        const stats: Stats = await promisify(fstat)(fd);
        // A redirected file is on disk only after fsync; a network file system reports a full disk no earlier.
        if (stats.isFile()) await promisify(fsync)(fd);
      } catch (error) {
        throw outputError('stdout', error);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function writeTo(stream: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error) reject(outputError('stdout', error));
      else resolve();
    });
  });
}

/** Translates a failed write, once, into what an operator can act on. */
export function outputError(name: string, error: unknown): JobError {
  const reasons: Readonly<Record<string, string>> = {
    EPIPE: 'the reader has gone away',
    ERR_STREAM_DESTROYED: 'the reader has gone away',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EFBIG: 'the file grew beyond the allowed size',
  };
  const reason = reasons[errorCode(error) ?? ''] ?? errorText(error);
  return new JobError(ExitCode.output, `cannot write the archive to ${name}: ${reason}`, { cause: error });
}
