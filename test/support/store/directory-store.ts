/** The files of a local directory as a store, as simple as its contract allows, and what a test makes happen between its calls. */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { errorText, JobError } from '#src/base/errors.js';
import { ExitCode } from '#src/base/exit-codes.js';
import { openFileInput } from '#src/store/input.js';
import { maxTextBytes, type Store, type StoredFile } from '#src/store/store.js';

/** One call that the job makes: `remove /tmp/x/a.tar`. */
export interface StoreCall {
  readonly method: 'openInput' | 'list' | 'readText' | 'writeText' | 'remove';
  readonly path: string;
}

export interface DirectoryStoreOptions {
  readonly signal?: AbortSignal;
  /** Called before each; what it throws, the call throws. */
  readonly before?: (call: StoreCall) => unknown;
}

/** A store, and the calls that it has got. */
export interface DirectoryStore extends Store {
  readonly calls: readonly StoreCall[];
}

export function directoryStore({
  signal = new AbortController().signal,
  before = () => undefined,
}: DirectoryStoreOptions = {}): DirectoryStore {
  const calls: StoreCall[] = [];
  const call = async <T>({ method, path }: StoreCall, exitCode: ExitCode, run: () => T): Promise<Awaited<T>> => {
    calls.push({ method, path });
    await before({ method, path });
    signal.throwIfAborted();
    try {
      return await run();
    } catch (error) {
      throw error instanceof JobError ? error : new JobError(exitCode, `cannot ${method} ${path}: ${errorText(error)}`);
    }
  };
  return {
    calls,
    nameOf: (path) => path,
    assertFree: () => Promise.reject(new Error('no test needs it')),
    openOutput: () => Promise.reject(new Error('no test needs it')),
    openInput: (path) => call({ method: 'openInput', path }, ExitCode.usage, () => openFileInput(path, signal)),
    list: (path) => call({ method: 'list', path }, ExitCode.usage, () => filesIn(path)),
    readText: (path) => call({ method: 'readText', path }, ExitCode.usage, () => textOf(path)),
    writeText: (path, text, { replaces }) =>
      call({ method: 'writeText', path }, ExitCode.output, () => writeWhole(path, text, replaces)),
    remove: (path) => call({ method: 'remove', path }, ExitCode.output, () => rmSync(path, { force: true })),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function filesIn(directory: string): StoredFile[] {
  const paths = readdirSync(directory)
    .sort()
    .map((name) => `${directory}${name}`);
  return paths.flatMap((path) => {
    const stats = lstatSync(path);
    return stats.isFile() ? [{ path, sizeBytes: stats.size, modifiedAt: stats.mtime }] : [];
  });
}

function textOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  if (bytes.length > maxTextBytes) throw new Error('it is too long');
  return bytes.toString('utf8');
}

function writeWhole(path: string, text: string, replaces: boolean): boolean {
  const part = `${path}.${randomBytes(4).toString('hex')}.part`;
  writeFileSync(part, text);
  try {
    if (replaces) renameSync(part, path);
    else if (existsSync(path)) return false;
    else linkSync(part, path);
    return true;
  } finally {
    rmSync(part, { force: true });
  }
}
