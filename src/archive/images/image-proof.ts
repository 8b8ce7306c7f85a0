/** What proves an image archive's entries: counts, bytes, and one SHA-256 over a line for each. Constant memory. */
import { createHash } from 'node:crypto';
import { mostListed, type ImageManifest, type Listed } from '../../model/image-manifest.js';
import type { ImageEntry } from './image-entry.js';
import { blobDigest } from './image-layout.js';

export type ImageProofSummary = Pick<
  ImageManifest,
  'entries' | 'directories' | 'links' | 'files' | 'blobs' | 'corrupt'
>;

export class ImageProof {
  readonly #hash = createHash('sha256');
  #count = 0;
  #directories = 0;
  #links = 0;
  readonly #files = { count: 0, bytes: 0 };
  readonly #blobs = { count: 0, bytes: 0 };
  readonly corrupt = new BoundedList();

  /** Takes the entries in order; `sha256` is that of a file's content, and absent for anything else. */
  add(entry: ImageEntry, sha256: string | undefined): void {
    const { type, path, mode, uid, gid, mtime, bytes, target, attributes } = entry;
    const line = [type, path, mode, uid, gid, mtime, bytes, sha256 ?? target, attributes];
    this.#hash.update(`${JSON.stringify(line)}\n`);
    this.#count += 1;
    if (type === 'directory') this.#directories += 1;
    else if (type !== 'file') this.#links += 1;
    else this.#file(path, bytes, sha256);
  }

  #file(path: string, bytes: number, sha256: string | undefined): void {
    const digest = blobDigest(path);
    for (const amount of digest === undefined ? [this.#files] : [this.#files, this.#blobs]) {
      amount.count += 1;
      amount.bytes += bytes;
    }
    if (digest !== undefined && digest !== sha256) this.corrupt.add(path, `has the SHA-256 ${sha256 ?? ''}`);
  }

  /** Called once, after the last entry. */
  summary(): ImageProofSummary {
    return {
      entries: { count: this.#count, sha256: this.#hash.digest('hex') },
      directories: this.#directories,
      links: this.#links,
      files: this.#files,
      blobs: this.#blobs,
      corrupt: this.corrupt.listed,
    };
  }
}

/** A list that counts everything and keeps the first of it. */
export class BoundedList {
  readonly #first: { path: string; why: string }[] = [];
  #count = 0;

  add(path: string, why: string): void {
    this.#count += 1;
    if (this.#first.length < mostListed) this.#first.push({ path, why });
  }

  get count(): number {
    return this.#count;
  }

  get listed(): Listed {
    return { count: this.#count, first: [...this.#first] };
  }
}
