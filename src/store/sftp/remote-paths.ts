/** Paths on an SFTP server: what may exist there before a file is written, what other runs left, and the state of its disk. */
import { randomBytes } from 'node:crypto';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import type { SftpConnection } from './sftp-connection.js';
import { isStatus, Status, StatusError, undefinedIfMissing } from './sftp-errors.js';
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

/** A full disk and a read-only file system have no status of their own: where the server says more, the error does. */
export async function withDiskState(session: SftpSession, path: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, Status.failure) || !session.offers('statvfs@openssh.com')) return error;
  const state = await session.fileSystem(directoryOf(path)).catch(() => undefined);
  if (state === undefined) return error;
  if (state.isReadOnly) return new StatusError(Status.failure, 'the file system on the server is read-only');
  const isFull = state.freeBlocks === 0 || state.freeFiles === 0;
  return isFull ? new StatusError(Status.diskFull, 'disk full') : error;
}
