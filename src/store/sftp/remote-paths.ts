/** Paths on an SFTP server: what may exist there before a file is written, and how a written file gets its final name. */
import { randomBytes } from 'node:crypto';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import type { SftpConnection } from './sftp-connection.js';
import { ConnectionFault, isStatus, Status, StatusError, undefinedIfMissing } from './sftp-errors.js';
import type { SftpSession } from './sftp-session.js';

/** A file to be: its path on the server, and how messages call it. */
export interface Target {
  readonly path: string;
  readonly name: string;
  readonly force: boolean;
}

/** PATH.<8 hex digits>.part: no two runs share one. */
export function partPathOf(path: string): string {
  return `${path}.${randomBytes(4).toString('hex')}.part`;
}

export function directoryOf(path: string): string {
  const end = path.lastIndexOf('/');
  if (end < 0) return '.';
  return end === 0 ? '/' : path.slice(0, end);
}

/** Throws a JobError with exit code 8 where no file may get this path, or the errors of the session. */
export async function assertFree(session: SftpSession, { path, name, force }: Target): Promise<void> {
  const refused = (why: string): JobError => new JobError(ExitCode.output, `${name} ${why}`);
  if (path === '' || path.endsWith('/')) throw refused('is not the name of a file');
  const found = await session.attributes(path).catch(undefinedIfMissing);
  if (found === undefined) return;
  if (found.kind === 'symbolic link') {
    const target = await session.targetOfLink(path);
    throw refused(`is a symbolic link to ${printable(target)}, and would be replaced: name the file itself`);
  }
  if (found.kind === 'directory') throw refused('is a directory: name a file in it');
  if (found.kind !== 'file') throw refused(`is a ${found.kind}, not a file`);
  if (!force) throw refused('exists and is never overwritten without --force');
  if (!session.offers('posix-rename@openssh.com'))
    throw refused('exists, and this server cannot replace a file in one step: remove it first');
}

const partEnding = /^\.[0-9a-f]{8}\.part$/;

/** Warns of a .part next to `path` that another run left there, or still writes. */
export async function warnOfParts(connection: SftpConnection, { path, name }: Target): Promise<void> {
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  const entries = await connection.run((session) =>
    // A directory that may be written to need not be readable.
    session.entries(directoryOf(path)).catch((error: unknown) => {
      if (!(error instanceof StatusError)) throw error;
      return [];
    }),
  );
  for (const { name: other } of entries) {
    const ending = other.startsWith(fileName) ? other.slice(fileName.length) : '';
    if (!partEnding.test(ending)) continue;
    connection.warn(`${name}${ending} is of a run that was killed, or that is still running: remove it if none is`);
  }
}

/** What is moved, and how long it must be at its new path. */
export interface Move {
  readonly from: string;
  readonly to: Target;
  readonly sizeBytes: number;
}

/**
 * Gives a finished file its final path. Without `force` no file there is replaced: OpenSSH's server then makes a link, so
 * that not even one that appears in this moment is. Throws a JobError with exit code 8, or the errors of a connection.
 */
export async function moveIntoPlace(connection: SftpConnection, move: Move): Promise<void> {
  const { from, to } = move;
  let isAsked = false as boolean;
  const step = async (session: SftpSession): Promise<void> => {
    // The answer to the first request may be lost.
    if (isAsked && (await isMoved(session, move))) return;
    await assertFree(session, to);
    isAsked = true;
    try {
      await session.rename(from, to.path, to.force && session.offers('posix-rename@openssh.com') ? 'over' : 'beside');
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      // The process of the lost connection may have done it in this moment.
      if (!(await isMoved(session, move))) throw await renameError(session, to, error);
    }
  };
  try {
    await connection.run(step);
  } catch (error) {
    if (!isAsked || !(error instanceof ConnectionFault)) throw error;
    const text = `${to.name}: ${error.message}; whether it has its final name is not known: look there`;
    throw new JobError(ExitCode.output, text, { cause: error });
  }
  const found = await connection.run((session) => session.attributes(to.path).catch(undefinedIfMissing));
  if (found?.kind === 'file' && found.sizeBytes === move.sizeBytes) return;
  const what = found === undefined ? 'is not there' : `has ${found.sizeBytes} bytes instead of ${move.sizeBytes}`;
  throw new JobError(ExitCode.output, `${to.name} was written, but ${what}: another process removed or replaced it`);
}

/** No other process knows the name of the .part: where it is gone, it was moved. */
async function isMoved(session: SftpSession, { from, to, sizeBytes }: Move): Promise<boolean> {
  if ((await session.attributes(from).catch(undefinedIfMissing)) !== undefined) return false;
  const found = await session.attributes(to.path).catch(undefinedIfMissing);
  return found?.sizeBytes === sizeBytes;
}

async function renameError(session: SftpSession, { path, name, force }: Target, error: unknown): Promise<unknown> {
  const isThere = await session.attributes(path).then(
    () => true,
    () => false,
  );
  if (!isThere || force) return error;
  return new JobError(ExitCode.output, `${name} appeared while it was written, and is not overwritten`);
}

/** A full disk and a read-only file system have no status of their own: where the server says more, the error does. */
export async function withDiskState(session: SftpSession, path: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, Status.failure) || !session.offers('statvfs@openssh.com')) return error;
  const state = await session.fileSystem(directoryOf(path)).catch(() => undefined);
  if (state === undefined) return error;
  if (state.isReadOnly) return new StatusError(Status.failure, 'the file system on the server is read-only');
  const isFull = state.freeBlocks === 0 || state.freeFiles === 0;
  return isFull ? new StatusError(Status.diskFull, 'disk full') : error;
}
