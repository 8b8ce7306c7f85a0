/**
 * `--output FILE`: written as FILE.part, synced to disk, then renamed, so that a file under its final name is always
 * a whole archive.
 */
import { constants } from 'node:fs';
import { access, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { outputError, type Output } from './output.js';

export interface FileOutputOptions {
  /** Replaces an archive of the same name, and a .part that a killed run left behind. */
  readonly force: boolean;
  /** Reads the finished .part back before it gets its name; what it throws keeps it from that. */
  readonly prove?: (partPath: string) => Promise<void>;
}

/** Opens `path`.part for a new archive, mode 0600: it will hold private keys. Throws a JobError with exit code 8. */
export async function openFileOutput(path: string, { force, prove }: FileOutputOptions): Promise<Output> {
  if (!force) await refuseExisting(path);
  const partPath = `${path}.part`;
  const file = await openPart(partPath, force);
  let committed = false;
  return {
    name: path,
    async write(chunk) {
      try {
        await writeAll(file, chunk);
      } catch (error) {
        throw outputError(partPath, error);
      }
    },
    async commit() {
      try {
        await file.sync();
        await file.close();
      } catch (error) {
        throw outputError(path, error);
      }
      await prove?.(partPath);
      try {
        if (!force) await refuseExisting(path);
        await rename(partPath, path);
        committed = true;
        await syncDirectory(dirname(path));
      } catch (error) {
        throw error instanceof JobError ? error : outputError(path, error);
      }
    },
    async [Symbol.asyncDispose]() {
      if (committed) return;
      await file.close();
      await rm(partPath, { force: true });
    },
  };
}

async function openPart(partPath: string, force: boolean): Promise<FileHandle> {
  try {
    if (force) await rm(partPath, { force: true });
    return await open(partPath, 'wx', 0o600);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw outputError(partPath, error);
    throw new JobError(
      ExitCode.output,
      `${partPath} exists: another backup is writing it, or one was killed; remove it or use --force`,
      { cause: error },
    );
  }
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await access(path, constants.F_OK);
  } catch {
    return;
  }
  throw new JobError(ExitCode.output, `${path} exists and is never overwritten without --force`);
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, offset);
    offset += bytesWritten;
  }
}

/** A rename is on disk only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
