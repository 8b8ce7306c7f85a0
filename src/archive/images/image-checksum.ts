/**
 * What writer and reader both compute of an image archive's entries: their places, counts, bytes, one SHA-256 over a line
 * for each, and whether what the repositories name is there.
 */
import { createHash } from 'node:crypto';
import type { ImageManifest } from '../../model/image-manifest.js';
import { BlobReferences, BoundedList, type ReferenceSummary } from './blob-references.js';
import { EntryTree } from './entry-tree.js';
import type { ImageEntry } from './image-entry.js';
import { blobDigest, isBlobById, leadsOut, linkPlace } from './image-layout.js';
import { maxManifestBytes, parseReferences, type ManifestReferences } from './registry-manifest.js';

export type ImageSummary = Pick<ImageManifest, 'entries' | 'directories' | 'links' | 'files' | 'blobs' | 'corrupt'>;

/** The content of one file. */
export interface ContentHash {
  update(piece: Buffer): void;
  /** Called once, at its end. Gives its SHA-256. */
  end(): string;
}

/** A link holds `sha256:` and 64 digits. */
const maxLinkBytes = 1024;

export class ImageChecksum {
  readonly #references: BlobReferences;
  readonly #onManifest: ((digest: string, references: ManifestReferences) => void) | undefined;
  readonly #tree = new EntryTree();
  readonly #hash = createHash('sha256');
  #count = 0;
  #directories = 0;
  #links = 0;
  readonly #files = { count: 0, bytes: 0 };
  readonly #blobs = { count: 0, bytes: 0 };
  readonly corrupt = new BoundedList();

  constructor(
    references = new BlobReferences(),
    onManifest?: (digest: string, references: ManifestReferences) => void,
  ) {
    this.#references = references;
    this.#onManifest = onManifest;
  }

  /** Why this entry cannot be the next, in words; undefined where it can. */
  faultOf(entry: ImageEntry): string | undefined {
    return this.#tree.faultOf(entry);
  }

  /** Takes an entry that is not a file. */
  add(entry: ImageEntry): void {
    const { type, path, target } = entry;
    this.#take(entry, target);
    if (type === 'directory') this.#directories += 1;
    else this.#links += 1;
    if (type === 'symlink' && leadsOut(path, target)) {
      this.#references.addLost(path, 'is a symbolic link out of the storage: its target is not in the archive');
    }
  }

  /** Takes a file, at the end of its content. */
  addFile(entry: ImageEntry): ContentHash {
    const hash = createHash('sha256');
    const kept: Buffer[] = [];
    let isKept: boolean | undefined;
    return {
      update: (piece) => {
        hash.update(piece);
        isKept ??= isRead(entry, piece);
        if (isKept) kept.push(piece);
      },
      end: () => {
        const sha256 = hash.digest('hex');
        this.#take(entry, sha256);
        this.#file(entry, sha256, Buffer.concat(kept));
        return sha256;
      },
    };
  }

  #take(entry: ImageEntry, shaOrTarget: string): void {
    const { type, path, mode, uid, gid, mtime, bytes, attributes } = entry;
    this.#tree.add(entry);
    this.#hash.update(`${JSON.stringify([type, path, mode, uid, gid, mtime, bytes, shaOrTarget, attributes])}\n`);
    this.#count += 1;
  }

  #file({ path, bytes, mtime }: ImageEntry, sha256: string, content: Buffer): void {
    const digest = blobDigest(path);
    for (const amount of digest === undefined ? [this.#files] : [this.#files, this.#blobs]) {
      amount.count += 1;
      amount.bytes += bytes;
    }
    if (digest !== undefined) this.#blob(path, digest, sha256, content);
    else if (isBlobById(path)) this.#references.addBlobById();
    const place = linkPlace(path);
    if (place === undefined) return;
    const text = bytes > maxLinkBytes ? 'too long' : content.toString('latin1');
    this.#references.addLink(path, place, { content: text, seconds: Number(mtime) });
  }

  #blob(path: string, digest: string, sha256: string, content: Buffer): void {
    this.#references.addBlob(digest);
    if (digest !== sha256) {
      this.corrupt.add(path, `has the SHA-256 ${sha256}`);
      return;
    }
    const references = content.length === 0 ? undefined : parseReferences(content);
    if (references === undefined) return;
    this.#references.addManifest(digest, references);
    this.#onManifest?.(digest, references);
  }

  /** Called once, after the last entry. */
  summary(): ImageSummary {
    return {
      entries: { count: this.#count, sha256: this.#hash.digest('hex') },
      directories: this.#directories,
      links: this.#links,
      files: this.#files,
      blobs: this.#blobs,
      corrupt: this.corrupt.listed,
    };
  }

  /** Called once, after the last entry, with the time when the reading of the storage began. */
  references(startedAt: Date): ReferenceSummary {
    return this.#references.summary(startedAt);
  }
}

/** Whether a file is a link, or may be a manifest by its first piece, so that its content is kept. */
function isRead({ path, bytes }: ImageEntry, start: Buffer): boolean {
  if (blobDigest(path) === undefined) return bytes <= maxLinkBytes && linkPlace(path) !== undefined;
  return bytes <= maxManifestBytes && /^\s*(?:\{|$)/.test(start.subarray(0, 64).toString('latin1'));
}
