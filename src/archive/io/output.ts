/**
 * Where an archive goes. The awaited write is the only brake between RethinkDB and the reader of the archive: it
 * resolves when the operating system has taken the bytes.
 */
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

/** Where bytes leave the process for good: stdout, or a part of a test. */
export interface ByteSink {
  /** Resolves when the operating system has taken every byte. One write at a time. Rejects with its error, or a JobError. */
  write(bytes: Buffer): Promise<void>;
  /** After the last write: resolves when what was written is where it was sent. Rejects like `write`. */
  commit(): Promise<void>;
}

/** An output over stdout, which is not ours to close. */
export function stdoutOutput(sink: ByteSink, signal: AbortSignal): Output {
  const translated = async (step: Promise<void>): Promise<void> => {
    try {
      await abortable(step, signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : outputError('stdout', error);
    }
  };
  return {
    name: 'stdout',
    write: (chunk) => translated(sink.write(chunk)),
    commit: () => translated(sink.commit()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Translates a failed write, once, into what an operator can act on. */
export function outputError(name: string, error: unknown, what = 'the archive'): JobError {
  if (error instanceof JobError) return error;
  const reasons: Readonly<Record<string, string>> = {
    EPIPE: 'the reader has gone away',
    ECONNRESET: 'the reader has gone away',
    ERR_STREAM_DESTROYED: 'the reader has gone away',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EFBIG: 'the file grew beyond the allowed size',
    EIO: 'the disk or device reports an error',
    EROFS: 'the file system is read-only',
    EACCES: 'permission denied',
    EBADF: 'it is not open for writing',
    ENOENT: 'no such directory',
    ENAMETOOLONG: 'the name is too long',
  };
  const reason = reasons[errorCode(error) ?? ''] ?? errorText(error);
  return new JobError(ExitCode.output, `cannot write ${what} to ${name}: ${reason}`, { cause: error });
}
