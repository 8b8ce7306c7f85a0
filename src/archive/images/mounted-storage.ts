/**
 * Walks a registry's storage that is mounted here. Synchronous, because a registry is mostly small files, and an
 * asynchronous call costs ten times what it asks of the disk (40,000 blobs and links: 43 s, so 7 s); in a process of its
 * own (mounted-process.ts), because a disk that does not answer blocks all of it.
 */
import { constants, type BigIntStats } from 'node:fs';
import { closeSync, fstatSync, lstatSync, opendirSync, openSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { decimal, whyNameNotKept, whyNotKept, type ImageEntry } from './image-entry.js';
import { registryDirectory } from './image-layout.js';
import type { StorageItem } from './storage-tree.js';

/** A StorageItem with a synchronous body, which can be read more than once. */
export type MountedItem =
  | (Omit<Extract<StorageItem, { kind: 'entry' }>, 'body' | 'preview'> & { readonly body: Iterable<Buffer> })
  | Exclude<StorageItem, { kind: 'entry' }>;

const chunkBytes = 256 * 1024;

/**
 * Walks all of it, file systems mounted in it included: directories before their content, and a registry's blobs after the
 * repositories that name them, so that a push meanwhile is not missed. Remembers one path for each file with several
 * names. Throws a JobError with exit code 2 for what may not be read, 5 where the disk fails.
 */
export function walkMountedStorage(directory: string): Generator<MountedItem, void, undefined> {
  return new Walk(directory).step('');
}

/** Whether it is a directory; undefined where nothing is there. Throws a JobError where the disk fails. */
export function isDirectory(path: string): boolean | undefined {
  try {
    return lstatSync(path).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw readError(path, error);
  }
}

/** Exit code 2 where reading is forbidden, 5 where the disk fails. */
export function readError(path: string, error: unknown): JobError {
  if (['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) {
    const message = `may not read ${path}: run the job as root (docker run --user 0)`;
    return new JobError(ExitCode.usage, message, { cause: error });
  }
  return new JobError(ExitCode.replica, `cannot read ${path}: ${errorText(error)}`, { cause: error });
}

class Walk {
  readonly #directory: string;
  /** The first path of each file with several names, by inode. */
  readonly #linked = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  *step(path: string): Generator<MountedItem, void, undefined> {
    // Asked first: a name that is not UTF-8 can no longer be found.
    const why = whyNameNotKept(path);
    if (why === undefined) yield* this.#itemsAt(path);
    else yield { kind: 'leftOut', path, why, hasContent: true };
  }

  *#itemsAt(path: string): Generator<MountedItem, void, undefined> {
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
    // Opened before it is announced: it may vanish in between.
    const directory = this.#unlessGone(path, (full) => opendirSync(full, { bufferSize: 256 }));
    if (directory === undefined) {
      yield { kind: 'vanished', path };
      return;
    }
    try {
      const item = itemOf(entryOf('directory', path, stats));
      yield item;
      // Without its directory, nothing below can be in the archive.
      if (item.kind !== 'entry') return;
      let blobs: string | undefined;
      for (;;) {
        const found = this.#unlessGone(path, () => directory.readSync());
        if (found === undefined) yield { kind: 'vanished', path };
        if (found === undefined || found === null) break;
        const below = path === '' ? found.name : `${path}/${found.name}`;
        if (below === `${registryDirectory}/blobs`) blobs = below;
        else yield* this.step(below);
      }
      if (blobs !== undefined) yield* this.step(blobs);
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
    // If something else has taken its name, it is neither followed nor waited for.
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
        body: { [Symbol.iterator]: () => file.body() },
        hasOtherNames: file.stats.nlink > 1n,
        changes: () => file.changes(),
      });
      if (item.kind === 'entry' && item.hasOtherNames) this.#linked.set(inode, path);
      yield item;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Undefined where it is gone; the root must be there. */
  #unlessGone<T>(path: string, look: (full: string) => T): T | undefined {
    try {
      return look(join(this.#directory, path));
    } catch (error) {
      const isGone = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE'].includes(errorCode(error) ?? '');
      if (isGone && path !== '') return undefined;
      throw readError(join(this.#directory, path), error);
    }
  }
}

/** An open file, whose body always has the size that it had when it was opened. */
export class MountedFile {
  readonly stats: BigIntStats;
  readonly bytes: number;
  readonly #path: string;
  readonly #descriptor: number;
  #missingBytes = 0;

  /** The caller closes the descriptor. */
  constructor(path: string, descriptor: number) {
    this.stats = fstatSync(descriptor, { bigint: true });
    this.bytes = Number(this.stats.size);
    this.#path = path;
    this.#descriptor = descriptor;
  }

  /** Exactly `bytes`: the end of a file that shrinks is zeros. */
  *body(): Generator<Buffer, void, undefined> {
    let position = 0;
    while (position < this.bytes) {
      const buffer = Buffer.allocUnsafe(Math.min(this.bytes - position, chunkBytes));
      const bytesRead = this.#read(buffer, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    this.#missingBytes = this.bytes - position;
    const zeros = Buffer.alloc(Math.min(this.#missingBytes, chunkBytes));
    for (; position < this.bytes; position += zeros.length) yield zeros.subarray(0, this.bytes - position);
  }

  /** How it changed since it was opened, in words; called after the body. */
  changes(): string | undefined {
    const missing = this.#missingBytes;
    if (missing > 0) return `shrank while it was read: its last ${missing} bytes are zeros in the archive`;
    const after = fstatSync(this.#descriptor, { bigint: true });
    const isSame = after.size === this.stats.size && after.mtimeNs === this.stats.mtimeNs;
    return isSame ? undefined : 'changed while it was read';
  }

  #read(buffer: Buffer, position: number): number {
    try {
      return readSync(this.#descriptor, buffer, 0, buffer.length, position);
    } catch (error) {
      throw readError(this.#path, error);
    }
  }
}

type Content = Omit<Extract<MountedItem, { kind: 'entry' }>, 'kind' | 'entry'>;

const noContent: Content = { body: [], hasOtherNames: false, changes: () => undefined };

function itemOf(entry: ImageEntry, content: Content = noContent): MountedItem {
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

function secondsOf(ns: bigint): string {
  const digits = String(ns < 0n ? -ns : ns).padStart(10, '0');
  return decimal(`${ns < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`) ?? '0';
}
