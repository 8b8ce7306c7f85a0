/** An archive to stdout, and what an operator is told of a write that failed. */
import { abortable } from '../base/deadline.js';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { ByteSink, Output } from '../model/archive-stream.js';

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
