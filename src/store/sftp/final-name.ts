/** How a finished file on an SFTP server gets its final name: in one step, and never over a file that is not to be replaced. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { assertFree, type Target } from './remote-paths.js';
import type { SftpConnection } from './sftp-connection.js';
import { ConnectionFault, StatusError, undefinedIfMissing } from './sftp-errors.js';
import { ownerOnly, type SftpSession } from './sftp-session.js';

/** What is moved, and how long it must be at its new path. */
export interface Move {
  /** A path that no other process knows. */
  readonly from: string;
  readonly to: Target;
  readonly sizeBytes: number;
}

/**
 * Gives a finished file its final path. Without `force` no file there is replaced, not even one that appears in this
 * moment where the server can make links. Throws a JobError with exit code 8, or the errors of a session.
 */
export async function moveIntoPlace(connection: SftpConnection, move: Move): Promise<void> {
  const { to, sizeBytes } = move;
  let isAsked = false as boolean;
  const place = async (session: SftpSession): Promise<void> => {
    // The answer to an earlier request may be lost.
    if (isAsked && (await isPlaced(session, move))) return;
    await assertFree(session, to);
    isAsked = true;
    try {
      await giveName(session, move);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      // The server may have carried out the earlier one in this moment.
      if (!(await isPlaced(session, move))) throw await nameError(session, to, error);
    }
  };
  try {
    await connection.run(async (session) => {
      await place(session);
      if (await exists(session, move.from)) await removeOtherName(session, move, connection.warn);
    });
    const found = await connection.run((session) => session.attributes(to.path).catch(undefinedIfMissing));
    if (found?.kind === 'file' && found.sizeBytes === sizeBytes) return;
    const what = found === undefined ? 'is not there' : `has ${found.sizeBytes} bytes instead of ${sizeBytes}`;
    throw new JobError(ExitCode.output, `${to.name} was written, but ${what}: another process removed or replaced it`);
  } catch (error) {
    if (!isAsked || !(error instanceof ConnectionFault)) throw error;
    const text = `${to.name}: ${error.message}; whether it has its final name is not known: look there`;
    throw new JobError(ExitCode.output, text, { cause: error });
  }
}

/** A link, unlike a rename of some servers, never replaces a file. Not every file system has links. */
async function giveName(session: SftpSession, { from, to }: Move): Promise<void> {
  if (to.force && session.offers('posix-rename@openssh.com')) {
    await session.rename(from, to.path, 'over');
    return;
  }
  if (session.offers('hardlink@openssh.com')) {
    try {
      await session.link(from, to.path);
      return;
    } catch (error) {
      if (!(error instanceof StatusError) || (await exists(session, to.path))) throw error;
    }
  }
  await session.rename(from, to.path, 'beside');
}

async function isPlaced(session: SftpSession, { from, to, sizeBytes }: Move): Promise<boolean> {
  const found = await session.attributes(to.path).catch(undefinedIfMissing);
  if (found?.kind !== 'file' || found.sizeBytes !== sizeBytes) return false;
  return !(await exists(session, from)) || (await areOneFile(session, from, to.path));
}

const ownerMayWrite = 0o200;

/** SFTP says nothing of inodes. What is changed under one name of a file shows under its other. May be repeated. */
async function areOneFile(session: SftpSession, own: string, other: string): Promise<boolean> {
  const { permissions } = await session.attributes(own);
  if ((await session.attributes(other)).permissions !== permissions) return false;
  const changed = permissions ^ ownerMayWrite;
  try {
    await session.setPermissions(own, changed);
    const seen = await session.attributes(other);
    await session.setPermissions(own, ownerOnly);
    return seen.permissions === changed;
  } catch (error) {
    // Not proven is not so.
    if (error instanceof StatusError) return false;
    throw error;
  }
}

async function removeOtherName(
  session: SftpSession,
  { from, to }: Move,
  warn: (message: string) => void,
): Promise<void> {
  try {
    await session.remove(from);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const otherName = to.name + from.slice(to.path.length);
    warn(`${to.name} is written; its other name, ${otherName}, cannot be removed: ${error.message}`);
  }
}

async function exists(session: SftpSession, path: string): Promise<boolean> {
  return (await session.attributes(path).catch(undefinedIfMissing)) !== undefined;
}

async function nameError(session: SftpSession, { path, name, force }: Target, error: StatusError): Promise<Error> {
  if (force || !(await exists(session, path))) return error;
  return new JobError(ExitCode.output, `${name} appeared while it was written, and is not overwritten`);
}
