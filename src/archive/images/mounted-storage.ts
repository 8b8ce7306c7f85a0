/**
 * A registry's storage that is mounted here, walked as a sequence of entries: what is open is one file and its path.
 * Registries are mostly small files, and an asynchronous call costs ten times what it asks of the disk (measured: 40,000
 * blobs and links 43 s, so 7 s). So nothing here is asynchronous, and all of it runs in a process of its own
 * (mounted-process.ts): a disk that does not answer blocks that one alone.
 */
import { constants, type BigIntStats } from 'node:fs';
import { closeSync, lstatSync, opendirSync, openSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../base/errors.js';
import { decimal, whyNameNotKept, whyNotKept, type ImageEntry } from './image-entry.js';
import { registryDirectory } from './image-layout.js';
import { MountedFile, readFailure } from './mounted-file.js';
import type { StorageItem } from './storage-tree.js';

/** A StorageItem whose body is there at once. */
export type MountedItem =
  | (Omit<Extract<StorageItem, { kind: 'entry' }>, 'body'> & { readonly body: Iterable<Buffer> })
  | Exclude<StorageItem, { kind: 'entry' }>;

/**
 * Walks all of it, also the file systems that are mounted in it: directories before what is in them, and the blobs of a
 * registry after the repositories that name them, so that what is pushed meanwhile is not missed. Of files with several
 * names it remembers one; of everything else, nothing. Throws a JobError with exit code 2 for what may not be read, 5 where the disk fails.
 */
export function* walkMountedStorage(directory: string): Generator<MountedItem, void, undefined> {
  yield* new Walk(directory).step('');
}

/** Whether there is a directory; undefined where there is nothing. Throws a JobError where the disk fails. */
export function isDirectory(path: string): boolean | undefined {
  try {
    return lstatSync(path).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw readFailure(path, error);
  }
}

class Walk {
  readonly #directory: string;
  /** The first name of each file that has several, by its inode. */
  readonly #linked = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  *step(path: string): Generator<MountedItem, void, undefined> {
    // A name that is not UTF-8 names nothing any more: it would seem to have vanished.
    const why = whyNameNotKept(path);
    if (why === undefined) yield* this.#thingAt(path);
    else yield { kind: 'leftOut', path, why, hasContent: true };
  }

  *#thingAt(path: string): Generator<MountedItem, void, undefined> {
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

  *#directoryAt(path: string, stats: BigIntStats): Generator<MountedItem, void, undefined> {
    // Opened first: what goes between the two is no directory of the archive.
    const directory = this.#unlessGone(path, (full) => opendirSync(full, { bufferSize: 256 }));
    if (directory === undefined) {
      yield { kind: 'vanished', path };
      return;
    }
    try {
      const item = itemOf(entryOf('directory', path, stats));
      yield item;
      // Nothing stands in an archive below a directory that does not.
      if (item.kind !== 'entry') return;
      let last: string | undefined;
      for (;;) {
        const found = this.#unlessGone(path, () => directory.readSync());
        if (found === undefined) yield { kind: 'vanished', path };
        if (found === undefined || found === null) break;
        const below = path === '' ? found.name : `${path}/${found.name}`;
        if (below === `${registryDirectory}/blobs`) last = below;
        else yield* this.step(below);
      }
      if (last !== undefined) yield* this.step(last);
    } finally {
      directory.closeSync();
    }
  }

  *#fileAt(path: string, found: BigIntStats): Generator<MountedItem, void, undefined> {
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
        hasOtherNames: file.stats.nlink > 1n,
        changes: () => file.changes(),
      });
      if (item.kind === 'entry' && item.hasOtherNames) this.#linked.set(inode, path);
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

type Content = Omit<Extract<MountedItem, { kind: 'entry' }>, 'kind' | 'entry'>;

const unchanged: Content = { body: [], hasOtherNames: false, changes: () => undefined };

function itemOf(entry: ImageEntry, content: Content = unchanged): MountedItem {
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
