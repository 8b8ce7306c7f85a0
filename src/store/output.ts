/** An archive to stdout, and what all outputs share: writing to the last byte, and the messages for failed writes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '../base/deadline.js';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { ByteSink, Output } from '../model/archive-stream.js';

/** Disposing does not close stdout. */
export function stdoutOutput(sink: ByteSink, signal: AbortSignal): Output {
  const translate = async (step: Promise<void>): Promise<void> => {
    try {
      await abortable(step, signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : outputError('stdout', error);
    }
  };
  return {
    name: 'stdout',
    write: (chunk) => translate(sink.write(chunk)),
    commit: () => translate(sink.commit()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const readerGone = 'the reader has gone away';
const reasons: Readonly<Record<string, string>> = {
  EPIPE: readerGone,
  ECONNRESET: readerGone,
  ERR_STREAM_DESTROYED: readerGone,
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

/** The error of a failed write as one that an operator can act on; a JobError stays as it is. */
export function outputError(name: string, error: unknown, what = 'the archive'): JobError {
  if (error instanceof JobError) return error;
  const reason = reasons[errorCode(error) ?? ''] ?? errorText(error);
  return new JobError(ExitCode.output, `cannot write ${what} to ${name}: ${reason}`, { cause: error });
}

/** Before the next try on a device that was opened non-blocking and accepts nothing now. */
const busyPauseMs = 20;

/**
 * Resolves when all bytes have been written: `writeSome` is one write(2), which may write a part only, and resolves with
 * how many. Rejects with the system's error.
 */
export async function writeFully(
  writeSome: (bytes: Buffer, offset: number) => Promise<number>,
  bytes: Buffer,
): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    try {
      const written = await writeSome(bytes, offset);
      if (written === 0) throw Object.assign(new Error('nothing more is accepted'), { code: 'EIO' });
      offset += written;
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      await sleep(busyPauseMs);
    }
  }
}
