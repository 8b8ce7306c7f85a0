/** The store of local files, with what a test makes happen between its calls. */
import { openFileStore } from '#src/store/file-store.js';
import type { Store } from '#src/store/store.js';

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
  const files = openFileStore({ signal, warn: () => undefined });
  const call = async <T>({ method, path }: StoreCall, run: () => Promise<T>): Promise<T> => {
    calls.push({ method, path });
    await before({ method, path });
    signal.throwIfAborted();
    return run();
  };
  return {
    ...files,
    calls,
    openInput: (path) => call({ method: 'openInput', path }, () => files.openInput(path)),
    list: (path) => call({ method: 'list', path }, () => files.list(path)),
    readText: (path) => call({ method: 'readText', path }, () => files.readText(path)),
    writeText: (path, text, options) => call({ method: 'writeText', path }, () => files.writeText(path, text, options)),
    remove: (path) => call({ method: 'remove', path }, () => files.remove(path)),
  };
}
