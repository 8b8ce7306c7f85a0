/** The files of this machine as a store. */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { openFileOutput } from './file-output.js';
import { openFileInput } from './input.js';
import { outputError } from './output.js';
import { assertFree } from './output-path.js';
import { maxTextBytes, type Store, type StoreContext, type StoredFile } from './store.js';

/** Paths are those of this process. Disposing does nothing. */
export function openFileStore({ signal, warn }: StoreContext): Store {
  return {
    nameOf: (path) => path,
    assertFree: (path, { force }) => assertFree(path, force),
    openOutput: (path, options) => openFileOutput(path, { ...options, signal, warn }),
    openInput: (path) => openFileInput(path, signal),
    list,
    readText,
    writeText,
    remove: async (path) => {
      await rm(path, { force: true }).catch((error: unknown) => {
        throw new JobError(ExitCode.output, `cannot remove ${path}: ${errorText(error)}`, { cause: error });
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Regular files alone: a link may lead anywhere. */
async function list(directory: string): Promise<readonly StoredFile[]> {
  try {
    const files: StoredFile[] = [];
    for (const name of (await readdir(directory === '' ? '.' : directory)).sort()) {
      const path = `${directory}${name}`;
      const stats = await lstat(path).catch(undefinedIfMissing);
      if (stats?.isFile() === true) files.push({ path, sizeBytes: stats.size, modifiedAt: stats.mtime });
    }
    return files;
  } catch (error) {
    throw new JobError(ExitCode.usage, `cannot list ${directory}: ${errorText(error)}`, { cause: error });
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r').catch(undefinedIfMissing);
    if (file === undefined) return undefined;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(maxTextBytes + 1), { position: 0 });
      if (bytesRead > maxTextBytes) throw new Error(`it is longer than ${maxTextBytes} bytes`);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new JobError(ExitCode.usage, `cannot read ${path}: ${errorText(error)}`, { cause: error });
  }
}

/** By a file of another name and a rename, or a link, which never replaces a file. */
async function writeText(path: string, text: string, { replaces }: { readonly replaces: boolean }): Promise<boolean> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (replaces) await rename(temporary, path);
    else await link(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && !replaces) return false;
    throw outputError(path, error, 'a file');
  } finally {
    await rm(temporary, { force: true });
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
}
