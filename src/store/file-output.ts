/**
 * `--output FILE`: written as FILE.<8 hex digits>.part, synced to disk, then renamed, so that a file under its final name
 * is always a whole archive. No two runs share a .part, so no run can damage another's, and no lock is needed that a
 * killed run could leave behind.
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withTimeout } from '../base/deadline.js';
import { fileIdentity } from './descriptor.js';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { assertFree, warnOfParts } from './output-path.js';
import type { Input, Output } from '../model/archive-stream.js';
import { openFileInput } from './input.js';
import { outputError, writeFully } from './output.js';

interface FileOutputOptions {
  /** Replaces a file of the same name. */
  readonly force: boolean;
  /** Reads the finished .part back before it is renamed; a failure prevents that. */
  readonly verifyArchive?: ((open: () => Promise<Input>) => Promise<void>) | undefined;
  /** For that reading. */
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/**
 * Opens a .part for a new archive, mode 0600: it will hold private keys. Throws a JobError with exit code 8. Disposing
 * removes a .part that has not been committed; it never throws, and takes seconds at most.
 */
export async function openFileOutput(path: string, options: FileOutputOptions): Promise<Output> {
  const { force, verifyArchive, warn, signal } = options;
  await assertFree(path, force);
  await warnOfParts(path, warn);
  const partPath = `${path}.${randomBytes(4).toString('hex')}.part`;
  const file = await translate(path, () => open(partPath, 'wx', 0o600));
  const identity = fileIdentity(await file.stat());
  let bytes = 0;
  let isFinal = false;
  let isDiscarded = false;
  return {
    name: path,
    write: (chunk) =>
      translate(path, async () => {
        await writeFully(async (all, offset) => (await file.write(all, offset)).bytesWritten, chunk);
        bytes += chunk.length;
      }),
    async commit() {
      // FUSE and CIFS may give a file that is open nowhere a new inode number.
      const anchor = await open(partPath, 'r').catch(() => undefined);
      try {
        await translate(path, () => close(file, partPath, bytes));
        await verifyArchive?.(() => openFileInput(partPath, signal));
        await assertIdentity(partPath, identity);
      } finally {
        // Before the rename: on NFS, an open file whose name is removed stays as .nfs….
        await anchor?.close().catch(() => undefined);
      }
      await translate(path, async () => {
        if (isDiscarded) throw outputFailure(`${path} was discarded while it was committed`);
        await moveIntoPlace(partPath, path, options);
        isFinal = true;
        await assertIdentity(path, identity);
        await syncDirectory(path, warn);
      });
    },
    async [Symbol.asyncDispose]() {
      if (isFinal) return;
      isDiscarded = true;
      await limited(file.close()).catch(() => undefined);
      try {
        await limited(removePart(partPath, identity));
      } catch (error) {
        warn(`${partPath} cannot be removed: ${errorText(error)}; remove it by hand`);
      }
    },
  };
}

function outputFailure(message: string): JobError {
  return new JobError(ExitCode.output, message);
}

async function translate<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw outputError(path, error);
  }
}

/** No step on a mount that hangs ever ends, and other clean-ups follow this one. */
const stepTimeoutMs = 1500;

function limited<T>(step: Promise<T>): Promise<T> {
  return withTimeout(step, stepTimeoutMs, () => new Error(`its file system has not answered for ${stepTimeoutMs} ms`));
}

async function removePart(path: string, identity: string): Promise<void> {
  try {
    if (fileIdentity(await lstat(path)) === identity) await rm(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Some file systems report a full disk at fsync, others at close. */
async function close(file: FileHandle, path: string, expectedBytes: number): Promise<void> {
  await file.sync();
  const { size } = await file.stat();
  await file.close();
  if (size === expectedBytes) return;
  throw outputFailure(`${path} has ${size} bytes on disk instead of ${expectedBytes}: the archive is not whole`);
}

async function moveIntoPlace(partPath: string, path: string, { force, warn }: FileOutputOptions): Promise<void> {
  // It may have appeared since the start.
  await assertFree(path, force);
  if (force || !(await tryLink(partPath, path))) {
    await rename(partPath, path);
    return;
  }
  try {
    await rm(partPath);
  } catch (error) {
    warn(`${path} is written; its other name, ${partPath}, cannot be removed: ${errorText(error)}`);
  }
}

/** Unlike a rename, a link never replaces a file that appeared meanwhile. False where the file system has no links. */
async function tryLink(partPath: string, path: string): Promise<boolean> {
  try {
    await link(partPath, path);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') return false;
    // NFS may repeat a request that has succeeded.
    if ((await identityOf(path)) === (await identityOf(partPath))) return true;
    throw outputFailure(`${path} appeared while the archive was written, and is not overwritten`);
  }
}

function identityOf(path: string): Promise<string | undefined> {
  return lstat(path).then(fileIdentity, () => undefined);
}

async function assertIdentity(path: string, identity: string): Promise<void> {
  if ((await identityOf(path)) === identity) return;
  throw outputFailure(`${path} is not the file that was written: another process removed or replaced it`);
}

/** Errors of the disk itself; any other means that the directory cannot be synced at all. */
const diskErrors: readonly (string | undefined)[] = ['EIO', 'ENOSPC', 'EDQUOT'];

/** A rename is on disk only after its directory; a directory that can be written may allow neither reading nor sync. */
async function syncDirectory(path: string, warn: (message: string) => void): Promise<void> {
  try {
    const directory = await open(dirname(path), 'r');
    await directory.sync().finally(() => directory.close());
  } catch (error) {
    if (diskErrors.includes(errorCode(error))) throw error;
    warn(`${path} is written, but its directory cannot be synced to disk: ${errorText(error)}`);
  }
}
