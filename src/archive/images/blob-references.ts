/**
 * Compares what a registry's repositories name with the blobs that are stored, in any order, in this archive or an
 * earlier one. Takes about 250 bytes of memory for each blob, and 8 for each that a manifest names.
 */
import { printable } from '../../base/printable.js';
import { maxListed, type Listed, type References } from '../../model/image-manifest.js';
import { blobPath, registryDirectory, type LinkPlace } from './image-layout.js';
import type { ManifestReferences } from './registry-manifest.js';

const limits = { digests: 2 ** 24, references: 2 ** 25, placeCharacters: 16 * 1024 * 1024 };

const repositories = `${registryDirectory}/repositories`;

export interface ReferenceSummary {
  /** For the manifest. */
  readonly references: References;
  /** Whether none of the blobs that the repositories name is there. */
  readonly isNothingThere: boolean;
}

/** A list that counts everything and keeps the first items. */
export class BoundedList {
  readonly #first: { path: string; why: string }[] = [];
  #count = 0;

  add(path: string, why: string): void {
    this.#count += 1;
    if (this.#first.length < maxListed) this.#first.push({ path, why });
  }

  get count(): number {
    return this.#count;
  }

  get listed(): Listed {
    return { count: this.#count, first: [...this.#first] };
  }
}

/** A digest that is stored or named. */
interface Blob {
  /** The bytes of its SHA-256 in Latin-1, which take half the memory of hex. */
  readonly key: string;
  isStored: boolean;
  isHeld: boolean;
  /** By the link of a layer or an earlier tag, without which no image is damaged. */
  isLinked: boolean;
  /** Of a manifest: the tag, or else the repository, that names it (empty beyond the limit), and since when. */
  naming: { place: string; sinceSeconds: number } | undefined;
  /** What it needs if it is a manifest. */
  needs: { readonly blobs: readonly Blob[]; readonly manifests: readonly Blob[] } | undefined;
}

export class BlobReferences {
  readonly #blobs = new Map<string, Blob>();
  readonly #lost = new BoundedList();
  #referenceCount = 0;
  #placeCharacters = 0;
  #linkCount = 0;
  #storedCount = 0;
  #heldCount = 0;
  #byIdCount = 0;
  /** Of digests that are not SHA-256, whose blobs cannot be looked for. */
  #otherCount = 0;
  #isOverLimit = false;

  /** A blob that is in the archive. */
  addBlob(digest: string): void {
    this.#storedCount += 1;
    const blob = this.#blobOf(digest);
    if (blob !== undefined) blob.isStored = true;
  }

  /** A blob that an earlier archive holds, and so need not be in this one. */
  addHeld(digest: string): void {
    const blob = this.#blobOf(digest);
    if (blob === undefined || blob.isHeld) return;
    blob.isHeld = true;
    this.#heldCount += 1;
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  isHeld(digest: string): boolean {
    return this.#blobs.get(keyOf(digest))?.isHeld === true;
  }

  isStored(digest: string): boolean {
    return this.#blobs.get(keyOf(digest))?.isStored === true;
  }

  /** A blob that is stored under an id, here or in an earlier archive. */
  addBlobById(): void {
    this.#byIdCount += 1;
  }

  /** Takes the result of `parseReferences`. It counts only where a repository or a list names the blob as a manifest. */
  addManifest(digest: string, references: ManifestReferences): void {
    const blob = this.#blobOf(digest);
    if (blob === undefined || blob.needs !== undefined) return;
    const blobs = this.#blobsOf(references.blobs);
    const manifests = this.#blobsOf(references.manifests);
    const count = blobs.length + manifests.length;
    if (this.#referenceCount + count > limits.references) this.#isOverLimit = true;
    if (this.#isOverLimit) return;
    this.#referenceCount += count;
    this.#otherCount += references.blobs.length + references.manifests.length - count;
    blob.needs = { blobs, manifests };
  }

  /** A file named `link`, with its content and its time in seconds since 1970. */
  addLink(path: string, place: LinkPlace, { content, seconds }: { content: string; seconds: number }): void {
    this.#linkCount += 1;
    const [, algorithm, hex = ''] = /^([a-z0-9+._-]+):([0-9a-f]{32,})$/.exec(content) ?? [];
    if (algorithm === undefined) {
      this.addLost(path, content === '' ? 'is empty: it names no blob' : 'holds no digest: it names no blob');
      return;
    }
    const isSha256 = algorithm === 'sha256';
    if (place.digest !== undefined && isSha256 && hex !== place.digest) {
      this.addLost(path, `names another blob than its path: ${printable(hex)}`);
      return;
    }
    const blob = isSha256 ? this.#blobOf(hex) : undefined;
    if (place.isManifest) {
      if (blob === undefined) this.#otherCount += 1;
      else this.#name(blob, place, seconds);
    } else if (blob !== undefined) blob.isLinked = true;
  }

  /** Something else in the registry that is not in the archive. */
  addLost(path: string, why: string): void {
    this.#lost.add(path, why);
  }

  /** Called once, at the end. What is named only since `startedAt` may have been pushed while the storage was read. */
  summary(startedAt: Date): ReferenceSummary {
    const missing = this.#lost;
    const neededBy = this.#findNeeded(startedAt.getTime() / 1000);
    const isById = this.#byIdCount > 0;
    const counts = { found: 0, absent: 0, stale: 0 };
    for (const blob of this.#blobs.values()) {
      const by = neededBy.get(blob);
      const isThere = blob.isStored || blob.isHeld;
      if (by === undefined) counts.stale += blob.isLinked && !isThere ? 1 : 0;
      else if (isThere) counts.found += 1;
      else {
        counts.absent += 1;
        if (!isById) missing.add(blobPath(hexOf(blob)), whyMissing(blob, by));
      }
    }
    if (this.#storedCount + this.#heldCount > 0 && this.#linkCount === 0 && !isById)
      missing.add(repositories, 'names none of the blobs: is it mounted?');
    if (this.#isOverLimit)
      missing.add(repositories, `names more than ${limits.digests} blobs: not all of them are compared`);
    return {
      references: {
        missing: missing.listed,
        stale: isById ? 0 : counts.stale,
        uncompared: this.#otherCount + (isById ? counts.absent : 0),
      },
      isNothingThere: counts.found === 0 && counts.absent > 0 && !isById,
    };
  }

  /**
   * What the named manifests need, each with the first manifest that needs it (itself where a link names it). Followed
   * are only blobs that are named as manifests: a layer may hold the text of one, and needs nothing.
   */
  #findNeeded(startedSeconds: number): ReadonlyMap<Blob, Blob> {
    const neededBy = new Map<Blob, Blob>();
    const manifests = new Set<Blob>();
    for (const blob of this.#blobs.values()) {
      if (blob.naming === undefined || blob.naming.sinceSeconds >= startedSeconds) continue;
      neededBy.set(blob, blob);
      manifests.add(blob);
    }
    // What is added to a Set meanwhile is visited, too.
    for (const manifest of manifests) {
      const { blobs = [], manifests: listed = [] } = manifest.needs ?? {};
      for (const blob of [...blobs, ...listed]) if (!neededBy.has(blob)) neededBy.set(blob, manifest);
      for (const blob of listed) manifests.add(blob);
    }
    return neededBy;
  }

  #name(blob: Blob, { repository, tag }: LinkPlace, seconds: number): void {
    const before = blob.naming;
    const place = tag === undefined ? repository : `${repository}:${tag}`;
    // A tag says more than its manifest's repository alone.
    const isBetter = before === undefined || (tag !== undefined && !before.place.includes(':'));
    const isKept = isBetter && this.#placeCharacters + place.length <= limits.placeCharacters;
    if (isKept) this.#placeCharacters += place.length;
    blob.naming = {
      place: isKept ? printable(place) : (before?.place ?? ''),
      sinceSeconds: Math.min(seconds, before?.sinceSeconds ?? seconds),
    };
  }

  /** Without those that are not SHA-256. */
  #blobsOf(digests: readonly string[]): Blob[] {
    return digests
      .map((digest) => this.#blobOf(/^sha256:([0-9a-f]{64})$/.exec(digest)?.[1] ?? ''))
      .filter((blob) => blob !== undefined);
  }

  /** Undefined for what is not a SHA-256 in hex, and beyond the limit. */
  #blobOf(hex: string): Blob | undefined {
    if (hex.length !== 64) return undefined;
    const key = keyOf(hex);
    const known = this.#blobs.get(key);
    if (known !== undefined) return known;
    if (this.#blobs.size >= limits.digests) {
      this.#isOverLimit = true;
      return undefined;
    }
    const blob = { key, isStored: false, isHeld: false, isLinked: false, naming: undefined, needs: undefined };
    this.#blobs.set(key, blob);
    return blob;
  }
}

function keyOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}

function hexOf({ key }: Blob): string {
  return Buffer.from(key, 'latin1').toString('hex');
}

function whyMissing(blob: Blob, by: Blob): string {
  const place = by.naming?.place ?? '';
  const named = place === '' ? '' : ` of ${place}`;
  if (blob === by) return `is missing: it is the manifest${named === '' ? ' of a repository' : named}`;
  return `is missing: the manifest sha256:${hexOf(by)}${named} needs it`;
}
