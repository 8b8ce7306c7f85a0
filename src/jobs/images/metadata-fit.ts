/** Compares the blobs of image archives with what a metadata archive names. */
import { blobIdPath, blobPath } from '../../archive/images/image-layout.js';
import type { StoredBlob } from '../../archive/images/image-checksum.js';
import { maxListed } from '../../model/image-manifest.js';
import { isComparable, type BlobRecord, type Content, type ManifestRecord } from './metadata-index.js';
import type { MetadataIndex, Problem } from './metadata-index.js';

/** A blob that is not as the metadata says, with one of the places that need it. */
export interface Misfit {
  readonly kind: 'missing' | 'corrupt';
  /** `org/app:1`, or `org/app@sha256:…` for a manifest without a tag; absent where no manifest needs the blob. */
  readonly place?: string;
  /** `sha256:…`. */
  readonly digest: string;
  /** Below the storage. */
  readonly path: string;
  readonly why: string;
}

export interface MetadataFit {
  readonly tags: number;
  /** Tags whose manifest, or a blob of it, is missing or corrupt. */
  readonly affectedTags: number;
  readonly manifests: number;
  /** What is named and to be stored: each digest once. */
  readonly blobs: { readonly count: number; readonly missing: number; readonly corrupt: number };
  /** Named by a digest other than SHA-256: nothing can be compared. */
  readonly uncompared: number;
  /** Stored blobs that the metadata does not name: garbage, or pushed after the metadata was read. */
  readonly unnamed: number;
  /** For each place, each of its blobs: how many, and the first. */
  readonly misfits: { readonly count: number; readonly first: readonly Misfit[] };
}

export class FitCheck {
  readonly #index: MetadataIndex;
  #unnamed = 0;
  #hasBlobById = false;

  /** The index is complete: what it names is marked now. */
  constructor(index: MetadataIndex) {
    this.#index = index;
    for (const record of index.blobs.values()) record.content.isNamed = true;
    for (const manifest of index.manifests.values()) {
      manifest.content.manifest = manifest;
      for (const content of manifest.needs) content.isNamed = true;
    }
    // A tag whose manifest is not in the metadata needs a blob of that digest.
    for (const { content } of index.tags.values()) if (content.manifest === undefined) content.isNamed = true;
  }

  get hasBlobById(): boolean {
    return this.#hasBlobById;
  }

  /** Takes each blob of the image archives, in the order in which these are unpacked: the last of a name counts. */
  add({ name, sha256 }: StoredBlob): void {
    this.#hasBlobById ||= name.kind === 'id';
    if (name.kind === 'id') {
      const record = this.#index.blobs.get(name.id);
      if (record === undefined) this.#unnamed += 1;
      else record.found = sha256;
      return;
    }
    const content = this.#index.contents.get(name.digest);
    if (content === undefined || !(content.isNamed || content.manifest !== undefined)) {
      this.#unnamed += 1;
      return;
    }
    content.isStored = name.digest === sha256;
    content.problem = content.isStored ? undefined : { kind: 'corrupt', id: undefined, found: sha256 };
  }

  /** Called once, after the last blob. */
  result(): MetadataFit {
    for (const content of this.#index.contents.values()) content.isThere = content.isStored;
    for (const record of this.#index.blobs.values()) judgeBlob(record);
    const blobs = { count: 0, missing: 0, corrupt: 0 };
    let uncompared = 0;
    for (const content of this.#index.contents.values()) {
      // A manifest may be stored as a blob, too; then it has to be intact.
      if (!content.isNamed && content.problem === undefined) continue;
      if (!isComparable(content)) {
        uncompared += 1;
        continue;
      }
      blobs.count += 1;
      judgeContent(content);
      if (content.problem !== undefined) blobs[content.problem.kind] += 1;
    }
    const { tags, manifests } = this.#index;
    const unnamed = this.#unnamed;
    return { tags: tags.size, manifests: manifests.size, blobs, uncompared, unnamed, ...this.#places() };
  }

  /** By tag, then by manifest without a tag, then what is left. */
  #places(): Pick<MetadataFit, 'affectedTags' | 'misfits'> {
    const misfits = new Misfits();
    const { manifests, tags, contents } = this.#index;
    const broken = new Map<ManifestRecord, readonly Content[]>();
    for (const manifest of manifests.values()) {
      const needs = manifest.needs.filter(isBroken);
      if (isBroken(manifest.content)) needs.unshift(manifest.content);
      if (needs.length > 0) broken.set(manifest, needs);
    }
    let affectedTags = 0;
    for (const { place, content } of tags.values()) {
      const { manifest } = content;
      const found = manifest === undefined ? (isBroken(content) ? [content] : []) : (broken.get(manifest) ?? []);
      if (found.length > 0) affectedTags += 1;
      misfits.add(place, found);
      if (manifest !== undefined) manifest.isTagged = true;
    }
    for (const [manifest, needs] of broken) {
      const isTagged = manifest.content.manifest?.isTagged === true;
      if (!isTagged) misfits.add(`${manifest.repository}@sha256:${manifest.content.digest}`, needs);
    }
    const placed = new Set<Content>();
    for (const needs of broken.values()) for (const content of needs) placed.add(content);
    for (const { content } of tags.values()) if (content.manifest === undefined) placed.add(content);
    for (const content of contents.values()) {
      if (isBroken(content) && !placed.has(content)) misfits.add(undefined, [content]);
    }
    return { affectedTags, misfits: misfits.listed };
  }
}

/** Counts all, and keeps the first. */
class Misfits {
  readonly #first: Misfit[] = [];
  #count = 0;

  add(place: string | undefined, contents: readonly Content[]): void {
    this.#count += contents.length;
    for (const content of contents) {
      if (this.#first.length >= maxListed) return;
      if (content.problem !== undefined) this.#first.push(misfitOf(place, content.digest, content.problem));
    }
  }

  get listed(): MetadataFit['misfits'] {
    return { count: this.#count, first: this.#first };
  }
}

/** A blob's file is that of its id, or else that of its digest. */
function judgeBlob({ id, content, found }: BlobRecord): void {
  if (!isComparable(content)) return;
  if (found === content.digest) content.isThere = true;
  else if (found !== undefined) content.problem = { kind: 'corrupt', id, found };
  else if (!content.isStored) content.problem ??= { kind: 'missing', id, found };
}

/** What no blob of the metadata has is looked for under its digest. */
function judgeContent(content: Content): void {
  if (content.isThere || content.problem !== undefined) return;
  content.problem = unknownId;
}

const unknownId: Problem = { kind: 'missing', id: undefined, found: undefined };

function isBroken({ problem }: Content): boolean {
  return problem !== undefined;
}

function misfitOf(place: string | undefined, digest: string, { kind, id, found }: Problem): Misfit {
  const why = id === undefined ? 'is missing, and no id is known for it' : 'is missing';
  return {
    ...(place !== undefined && { place }),
    digest: `sha256:${digest}`,
    kind,
    path: id === undefined ? blobPath(digest) : blobIdPath(id),
    why: found === undefined ? why : `has the SHA-256 ${found}`,
  };
}
