/**
 * `--output FILE`: written under a name of its own, FILE.<8 hex digits>.part, synced to disk, then renamed, so that a
 * file under its final name is always a whole archive. No two runs share a .part: none can take, alter or remove
 * another's, which is why there is no lock that a killed run could leave behind.
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withTimeout } from '../base/deadline.js';
import { fileIdentity } from './descriptor.js';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { assertFree, warnOfParts } from './output-path.js';
import type { Output } from '../model/archive-stream.js';
import { outputError } from './output.js';
import { writeFully } from './write-fully.js';

export interface FileOutputOptions {
  /** Replaces a file of the same name. */
  readonly force: boolean;
  /** Reads the finished .part back before it gets its name; what it throws keeps it from that. */
  readonly verifyArchive?: ((partPath: string) => Promise<void>) | undefined;
  /** Takes what an operator is to know and what changes no exit code. */
  readonly warn: (message: string) => void;
}

/**
 * Opens a .part for a new archive, mode 0600: it will hold private keys. Throws a JobError with exit code 8. Disposing
 * never throws, and takes seconds at most.
 */
export async function openFileOutput(path: string, options: FileOutputOptions): Promise<Output> {
  await assertFree(path, options.force);
  await warnOfParts(path, options.warn);
  const partPath = `${path}.${randomBytes(4).toString('hex')}.part`;
  const file = await translated(path, () => open(partPath, 'wx', 0o600));
  const identity = fileIdentity(await file.stat());
  let bytes = 0;
  let hasItsName = false;
  let isDiscarded = false;
  return {
    name: path,
    write: (chunk) =>
      translated(path, async () => {
        await writeFully(async (all, offset) => (await file.write(all, offset)).bytesWritten, chunk);
        bytes += chunk.length;
      }),
    async commit() {
      // FUSE and CIFS may give a file that nobody has open a new inode number.
      const anchor = await open(partPath, 'r').catch(() => undefined);
      try {
        await translated(path, () => close(file, partPath, bytes));
        await options.verifyArchive?.(partPath);
        await assertIdentity(partPath, identity);
      } finally {
        // Before it gets its name: NFS keeps a name that is removed from an open file, as .nfs….
        await anchor?.close().catch(() => undefined);
      }
      await translated(path, async () => {
        if (isDiscarded) throw new JobError(ExitCode.output, `${path} is given up while it is committed`);
        await giveName(partPath, path, options);
        hasItsName = true;
        await assertIdentity(path, identity);
        await syncDirectory(path, options.warn);
      });
    },
    async [Symbol.asyncDispose]() {
      if (hasItsName) return;
      isDiscarded = true;
      // What it says of the disk no longer matters.
      await bounded(file.close()).catch(() => undefined);
      try {
        await bounded(removePart(partPath, identity));
      } catch (error) {
        options.warn(`${partPath} cannot be removed: ${errorText(error)}: remove it`);
      }
    },
  };
}

async function translated<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw outputError(path, error);
  }
}

/** On a mount that hangs, no step ever ends, and the clean-ups after this one must get their turn. */
const stepTimeoutMs = 1500;

function bounded<T>(step: Promise<T>): Promise<T> {
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
  const message = `${path} has ${size} bytes on disk, and ${expectedBytes} were written: the archive is not whole`;
  throw new JobError(ExitCode.output, message);
}

async function giveName(partPath: string, path: string, { force, warn }: FileOutputOptions): Promise<void> {
  // What is there may have changed since the start.
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

/** Unlike a rename, a link never replaces what came up meanwhile. False where the file system has no links. */
async function tryLink(partPath: string, path: string): Promise<boolean> {
  try {
    await link(partPath, path);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') return false;
    // NFS may ask again for what has been done, and be told that it exists.
    if ((await identityOf(path)) === (await identityOf(partPath))) return true;
    throw new JobError(ExitCode.output, `${path} came up while the archive was written, and is not overwritten`);
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    return fileIdentity(await lstat(path));
  } catch {
    return undefined;
  }
}

async function assertIdentity(path: string, identity: string): Promise<void> {
  if ((await identityOf(path)) === identity) return;
  throw new JobError(
    ExitCode.output,
    `${path} is not the file that was written: something else removed or replaced it`,
  );
}

/** Reports of the disk itself; anything else says that the directory cannot be synced at all. */
const diskErrors: readonly (string | undefined)[] = ['EIO', 'ENOSPC', 'EDQUOT'];

/** A rename is on disk only when its directory is; one that may be written need not be readable, nor take a sync. */
async function syncDirectory(path: string, warn: (message: string) => void): Promise<void> {
  try {
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    if (diskErrors.includes(errorCode(error))) throw error;
    warn(`${path} is written, but its directory cannot be synced to disk: ${errorText(error)}`);
  }
}
