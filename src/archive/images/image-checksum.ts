/**
 * What writer and reader both compute of an image archive's entries: their places, counts, bytes, one SHA-256 over a line
 * for each, and whether what the repositories name is there.
 */
import { createHash } from 'node:crypto';
import type { ImageManifest } from '../../model/image-manifest.js';
import { BlobReferences, BoundedList, type ReferenceSummary } from './blob-references.js';
import { EntryTree } from './entry-tree.js';
import type { ImageEntry } from './image-entry.js';
import { blobDigest, blobName, leadsOut, linkPlace, type BlobName } from './image-layout.js';
import { maxManifestBytes, parseReferences, type ManifestReferences } from './registry-manifest.js';

export type ImageSummary = Pick<
  ImageManifest,
  'entries' | 'directories' | 'links' | 'files' | 'blobs' | 'blobsById' | 'corrupt'
>;

/** A blob that is in the archive. */
export interface StoredBlob {
  readonly name: BlobName;
  /** Of a hard link 0: its content is in another entry. */
  readonly bytes: number;
  /** Of its content, in hex. */
  readonly sha256: string;
}

export interface BlobObserver {
  readonly onBlob?: (blob: StoredBlob) => void;
  /** An intact blob that may be a manifest, and what it names if it is one. */
  readonly onManifest?: (digest: string, references: ManifestReferences) => void;
}

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
  readonly #observer: BlobObserver;
  readonly #tree = new EntryTree();
  readonly #hash = createHash('sha256');
  #count = 0;
  #directories = 0;
  #links = 0;
  readonly #files = { count: 0, bytes: 0 };
  readonly #blobs = { count: 0, bytes: 0 };
  readonly #blobsById = { count: 0, bytes: 0 };
  /** By path, the SHA-256 of the blobs that are not named by it: hard links to them may follow. */
  readonly #contents = new Map<string, string>();
  readonly corrupt = new BoundedList();

  constructor(references = new BlobReferences(), observer: BlobObserver = {}) {
    this.#references = references;
    this.#observer = observer;
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
    if (type === 'link') this.#linkedBlob(path, target);
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
    const name = blobName(path);
    const amounts = [this.#files, ...(name === undefined ? [] : [this.#blobs])];
    for (const amount of name?.kind === 'id' ? [...amounts, this.#blobsById] : amounts) {
      amount.count += 1;
      amount.bytes += bytes;
    }
    if (name !== undefined) this.#blob(path, { name, bytes, sha256 }, content);
    const place = linkPlace(path);
    if (place === undefined) return;
    const text = bytes > maxLinkBytes ? 'too long' : content.toString('latin1');
    this.#references.addLink(path, place, { content: text, seconds: Number(mtime) });
  }

  #blob(path: string, blob: StoredBlob, content: Buffer): void {
    const { name, sha256 } = blob;
    const digest = name.kind === 'digest' ? name.digest : undefined;
    if (digest === undefined) this.#references.addBlobById();
    else this.#references.addBlob(digest);
    this.#observer.onBlob?.(blob);
    if (digest !== sha256) this.#contents.set(path, sha256);
    if (digest === undefined) return;
    if (digest !== sha256) {
      this.corrupt.add(path, `has the SHA-256 ${sha256}`);
      return;
    }
    const references = content.length === 0 ? undefined : parseReferences(content);
    if (references === undefined) return;
    this.#references.addManifest(digest, references);
    this.#observer.onManifest?.(digest, references);
  }

  /** A hard link in the place of a blob: to another blob it is one, too. What other files hold is not kept. */
  #linkedBlob(path: string, target: string): void {
    const name = blobName(path);
    if (name === undefined) return;
    const digest = blobDigest(target);
    const named = digest !== undefined && this.#references.isStored(digest) ? digest : undefined;
    const sha256 = this.#contents.get(target) ?? named;
    if (sha256 !== undefined) this.#blob(path, { name, bytes: 0, sha256 }, Buffer.alloc(0));
  }

  /** Called once, after the last entry. */
  summary(): ImageSummary {
    return {
      entries: { count: this.#count, sha256: this.#hash.digest('hex') },
      directories: this.#directories,
      links: this.#links,
      files: this.#files,
      blobs: this.#blobs,
      ...(this.#blobsById.count > 0 && { blobsById: this.#blobsById }),
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
