/**
 * The rules for where an image archive's entries may stand, so that `tar -x` makes of them what they say: each path once,
 * below a directory that stands before it, and hard links to what stands before them. One code for the writer, which
 * leaves out what does not fit, and for the reader, to which it is a finding.
 */
import { hash, randomBytes } from 'node:crypto';
import { FingerprintTable } from './fingerprint-table.js';
import type { ImageEntry } from './image-entry.js';

/** Of one archive. Each takes 17 to 35 bytes of memory, and half as much again while the table grows. */
export const maxEntries = 32 * 1024 * 1024;

/** At ten million entries, the odds that two paths share one are one to a million; nobody can choose such paths. */
const fingerprintBytes = 8;

const isDirectory = 1;

export class EntryTree {
  readonly #salt = randomBytes(16).toString('latin1');
  readonly #limit: number;
  readonly #paths: FingerprintTable;
  /** The last two that were asked for: a path is asked for and then taken, and its directory is often the one before. */
  #recent: readonly { readonly path: string; readonly fingerprint: Buffer }[] = [];

  constructor(limit = maxEntries) {
    this.#limit = limit;
    this.#paths = new FingerprintTable(fingerprintBytes, limit);
  }

  /** What is wrong with the place of the next entry, in words. */
  whyNot({ type, path, target }: ImageEntry): string | undefined {
    if (this.#paths.count >= this.#limit) return `is one of more than ${this.#limit} entries`;
    if (this.#flagsOf(path) !== undefined) return 'stands there twice';
    if (path === '') return type === 'directory' ? undefined : 'is no directory';
    const slash = path.lastIndexOf('/');
    const parent = this.#flagsOf(slash === -1 ? '' : path.slice(0, slash));
    if (parent === undefined) return 'lies in a directory that does not stand before it';
    if (parent !== isDirectory) return 'lies below what is no directory';
    if (type !== 'link') return undefined;
    const linked = this.#flagsOf(target);
    if (linked === undefined) return 'is a hard link to what does not stand before it';
    return linked === isDirectory ? 'is a hard link to a directory' : undefined;
  }

  add({ type, path }: ImageEntry): void {
    const number = this.#paths.add(this.#fingerprint(path));
    if (number !== undefined && type === 'directory') this.#paths.setFlags(number, isDirectory);
  }

  #flagsOf(path: string): number | undefined {
    const number = this.#paths.find(this.#fingerprint(path));
    return number === undefined ? undefined : this.#paths.flagsAt(number);
  }

  #fingerprint(path: string): Buffer {
    const known = this.#recent.find((one) => one.path === path);
    if (known !== undefined) return known.fingerprint;
    const fingerprint = hash('sha1', this.#salt + path, 'buffer');
    this.#recent = [{ path, fingerprint }, ...this.#recent.slice(0, 1)];
    return fingerprint;
  }
}
