/**
 * TO BE REPLACED by the integrator's file of this name, whose `openStore` has the same signature and opens every kind of
 * place: this one opens files alone, and cannot write archives.
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { errorCode, errorText, JobError, UsageError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { JobContext } from '../jobs/job-context.js';
import type { StoredPlace } from '../model/place.js';
import { openFileInput } from '../store/input.js';
import { assertFree } from '../store/output-path.js';
import type { Store, StoredFile } from '../store/store.js';

export function openStore(place: StoredPlace, _values: unknown, { signal }: JobContext): Promise<Store> {
  if (place.kind !== 'file')
    return Promise.reject(new UsageError([`places of kind ${place.kind} cannot be opened yet`]));
  return Promise.resolve({
    nameOf: (path: string) => path,
    assertFree: (path, { force }) => assertFree(path, force),
    openOutput: () => Promise.reject(new Error('not in this file')),
    openInput: (path) => openFileInput(path, signal),
    list: (directory) => translate(list(directory), ExitCode.usage),
    readText: (path) => translate(readFile(path, 'utf8').catch(undefinedIfMissing), ExitCode.usage),
    writeText: (path, text, { replaces }) => translate(writeText(path, text, replaces), ExitCode.output),
    remove: (path) => translate(rm(path, { force: true }), ExitCode.output),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

async function list(directory: string): Promise<readonly StoredFile[]> {
  const files: StoredFile[] = [];
  for (const name of (await readdir(directory === '' ? '.' : directory)).sort()) {
    const path = `${directory}${name}`;
    const stats = await lstat(path).catch(undefinedIfMissing);
    if (stats?.isFile() === true) files.push({ path, sizeBytes: stats.size, modifiedAt: stats.mtime });
  }
  return files;
}

async function writeText(path: string, text: string, replaces: boolean): Promise<boolean> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    if (replaces) await rename(temporary, path);
    else await link(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && !replaces) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
}

async function translate<T>(step: Promise<T>, exitCode: ExitCode): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw new JobError(exitCode, errorText(error), { cause: error });
  }
}
