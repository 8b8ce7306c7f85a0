/**
 * The rules for the place of an entry in an image archive, so that `tar -x` unpacks what it says: each path once, after
 * its directory, and hard links after their target. The writer leaves out what breaks them; the reader reports it.
 */
import { hash, randomBytes } from 'node:crypto';
import type { ImageEntry } from './image-entry.js';

/** Of one archive: as many as a Map holds. Each takes about 100 bytes of memory. */
export const maxEntries = 2 ** 24;

/** At ten million entries, two paths share 64 bits of a hash with odds of three to a million; the salt is secret. */
const fingerprintBytes = 8;

export class EntryTree {
  readonly #salt = randomBytes(16).toString('latin1');
  readonly #limit: number;
  /** Whether each path is a directory, by a fingerprint of the path. */
  readonly #paths = new Map<string, boolean>();

  constructor(limit = maxEntries) {
    this.#limit = limit;
  }

  /** Why this entry cannot be the next, in words; undefined where it can. */
  faultOf({ type, path, target }: ImageEntry): string | undefined {
    if (this.#paths.size >= this.#limit) return `is one of more than ${this.#limit} entries`;
    if (this.#isDirectory(path) !== undefined) return 'occurs twice';
    if (path === '') return type === 'directory' ? undefined : 'is not a directory';
    const slash = path.lastIndexOf('/');
    const isInDirectory = this.#isDirectory(slash === -1 ? '' : path.slice(0, slash));
    if (isInDirectory === undefined) return 'is in a directory that does not precede it';
    if (!isInDirectory) return 'is below something that is not a directory';
    if (type !== 'link') return undefined;
    const isLinkToDirectory = this.#isDirectory(target);
    if (isLinkToDirectory === undefined) return 'is a hard link to something that does not precede it';
    return isLinkToDirectory ? 'is a hard link to a directory' : undefined;
  }

  add({ type, path }: ImageEntry): void {
    this.#paths.set(this.#fingerprint(path), type === 'directory');
  }

  /** Undefined for an unknown path. */
  #isDirectory(path: string): boolean | undefined {
    return this.#paths.get(this.#fingerprint(path));
  }

  #fingerprint(path: string): string {
    return hash('sha1', this.#salt + path, 'buffer').toString('latin1', 0, fingerprintBytes);
  }
}
