/**
 * A registry's storage that is mounted here, walked as a sequence of entries: what is open is one file and its path.
 * Registries are mostly small files, and an asynchronous call costs ten times what it asks of the disk (measured: 40,000
 * blobs and links 43 s, so 7 s). So only the bodies of large files are waited for.
 */
import { constants, type BigIntStats } from 'node:fs';
import { closeSync, lstatSync, opendirSync, openSync, readlinkSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../base/errors.js';
import { decimal, whyNameNotKept, whyNotKept, type ImageEntry } from './image-entry.js';
import { MountedFile, readFailure } from './mounted-file.js';
import type { StorageItem } from './storage-tree.js';

/**
 * Walks all of it, directories before what is in them. Of files with several names it remembers one; of everything
 * else, nothing. Throws a JobError with exit code 2 for what may not be read, 5 where the disk fails.
 */
export function* walkMountedStorage(directory: string): Generator<StorageItem, void, undefined> {
  yield* new Walk(directory).step('');
}

/** Whether there is a directory; undefined where there is nothing. */
export async function isDirectory(path: string): Promise<boolean | undefined> {
  try {
    return (await lstat(path)).isDirectory();
  } catch {
    return undefined;
  }
}

class Walk {
  readonly #directory: string;
  /** The first name of each file that has several, by its inode. */
  readonly #linked = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  *step(path: string): Generator<StorageItem, void, undefined> {
    // A name that is not UTF-8 names nothing any more: it would seem to have vanished.
    const why = whyNameNotKept(path);
    if (why === undefined) yield* this.#thingAt(path);
    else yield { kind: 'leftOut', path, why, hasContent: true };
  }

  *#thingAt(path: string): Generator<StorageItem, void, undefined> {
    const stats = this.#unlessGone(path, (full) => lstatSync(full, { bigint: true }));
    if (stats === undefined) yield { kind: 'vanished', path };
    else if (stats.isDirectory()) yield* this.#directoryAt(path, stats);
    else if (stats.isFile()) yield* this.#fileAt(path, stats);
    else if (stats.isSymbolicLink()) {
      const target = this.#unlessGone(path, (full) => readlinkSync(full));
      if (target === undefined) yield { kind: 'vanished', path };
      else yield itemOf(entryOf('symlink', path, stats, { target }));
    } else yield { kind: 'leftOut', path, why: 'is a socket, a device or a FIFO', hasContent: false };
  }

  *#directoryAt(path: string, stats: BigIntStats): Generator<StorageItem, void, undefined> {
    // Opened first: what goes between the two is no directory of the archive.
    const directory = this.#unlessGone(path, (full) => opendirSync(full, { bufferSize: 256 }));
    if (directory === undefined) {
      yield { kind: 'vanished', path };
      return;
    }
    try {
      yield itemOf(entryOf('directory', path, stats));
      for (;;) {
        const found = this.#unlessGone(path, () => directory.readSync());
        if (found === undefined) yield { kind: 'vanished', path };
        if (found === undefined || found === null) break;
        yield* this.step(path === '' ? found.name : `${path}/${found.name}`);
      }
    } finally {
      directory.closeSync();
    }
  }

  *#fileAt(path: string, found: BigIntStats): Generator<StorageItem, void, undefined> {
    const inode = `${found.dev}:${found.ino}`;
    const first = this.#linked.get(inode);
    if (first !== undefined) {
      yield itemOf(entryOf('link', path, found, { target: first }));
      return;
    }
    // Should another kind of thing have taken its name, it is not followed, nor waited for.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const descriptor = this.#unlessGone(path, (full) => openSync(full, flags));
    if (descriptor === undefined) {
      yield { kind: 'vanished', path };
      return;
    }
    try {
      const file = new MountedFile(join(this.#directory, path), descriptor);
      if (!file.stats.isFile()) {
        yield { kind: 'vanished', path };
        return;
      }
      const item = itemOf(entryOf('file', path, file.stats, { bytes: file.bytes }), {
        body: file.body(),
        segments: () => file.segments(),
        changes: () => file.changes(),
      });
      if (item.kind === 'entry' && file.stats.nlink > 1n) this.#linked.set(inode, path);
      yield item;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Undefined where it is there no more; the root has to be there. */
  #unlessGone<T>(path: string, look: (full: string) => T): T | undefined {
    try {
      return look(join(this.#directory, path));
    } catch (error) {
      const isGone = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE'].includes(errorCode(error) ?? '');
      if (isGone && path !== '') return undefined;
      throw readFailure(join(this.#directory, path), error);
    }
  }
}

type Content = Omit<Extract<StorageItem, { kind: 'entry' }>, 'kind' | 'entry'>;

const nothing: AsyncIterable<Buffer> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};
const unchanged: Content = { body: nothing, changes: () => undefined };

function itemOf(entry: ImageEntry, content: Content = unchanged): StorageItem {
  const why = whyNotKept(entry);
  return why === undefined
    ? { kind: 'entry', entry, ...content }
    : { kind: 'leftOut', path: entry.path, why, hasContent: true };
}

function entryOf(
  type: ImageEntry['type'],
  path: string,
  stats: BigIntStats,
  more: Partial<Pick<ImageEntry, 'bytes' | 'target'>> = {},
): ImageEntry {
  return {
    ...{ type, path, bytes: 0, target: '', attributes: [] },
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: secondsOf(stats.mtimeNs),
    ...more,
  };
}

/** As PAX has it: a decimal number of seconds. */
function secondsOf(ns: bigint): string {
  const digits = String(ns < 0n ? -ns : ns).padStart(10, '0');
  return decimal(`${ns < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`) ?? '0';
}
