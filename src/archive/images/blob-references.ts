/**
 * Compares what a registry's repositories name with what is stored: blobs may come before what names them or after, here
 * or in an earlier archive. At most 100 bytes of memory for each blob and 8 for each
 * layer that a manifest names.
 */
import { printable } from '../../base/printable.js';
import type { References } from '../../model/image-manifest.js';
import { BoundedList } from './bounded-list.js';
import { FingerprintTable } from './fingerprint-table.js';
import { blobPath, registryDirectory, type LinkPlace } from './image-layout.js';
import type { ManifestReferences } from './registry-manifest.js';

const digestBytes = 32;
const limits = { digests: 2 ** 24, edges: 2 ** 25, placeCharacters: 16 * 1024 * 1024 };

/** Flags of a digest. */
const stored = 1;
const held = 2;
/** By a link without which nothing is lost. */
const linked = 4;
const needed = 8;
/** As a manifest: what it names is needed, too. */
const followed = 16;

const repositories = `${registryDirectory}/repositories`;

export interface ReferenceSummary {
  /** For the manifest. */
  readonly references: References;
  /** Whether of all that the repositories name not one blob is there. */
  readonly isNothingThere: boolean;
}

/** What names a manifest: the repository, the tag, and since when. */
interface Naming {
  /** Empty where there was no more room. */
  place: string;
  sinceSeconds: number;
}

export class BlobReferences {
  readonly #digests = new FingerprintTable(digestBytes, limits.digests);
  readonly #namings = new Map<number, Naming>();
  /**
   * Of each blob that may be a manifest: where its part of `#edges` begins. That is how many blobs it names and how many
   * manifests, and then their numbers.
   */
  readonly #edgesOf = new Map<number, number>();
  readonly #edges: number[] = [];
  readonly #lost = new BoundedList();
  #placeCharacters = 0;
  #linkCount = 0;
  #storedCount = 0;
  #heldCount = 0;
  #byIdCount = 0;
  /** Of digests that are no SHA-256, and so name no blob that could be looked for. */
  #otherCount = 0;
  #isOverLimit = false;

  /** A blob that is in the archive. */
  addBlob(digest: string): void {
    this.#storedCount += 1;
    this.#flag(digest, stored);
  }

  /** A blob that an earlier archive holds, and so need not be in this one. */
  addHeld(digest: string): void {
    if (this.isHeld(digest)) return;
    this.#heldCount += 1;
    this.#flag(digest, held);
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  isHeld(digest: string): boolean {
    const number = this.#digests.find(Buffer.from(digest, 'hex'));
    return number !== undefined && (this.#digests.flagsAt(number) & held) !== 0;
  }

  /** A blob that is stored under an id. */
  addBlobById(): void {
    this.#byIdCount += 1;
  }

  /** Takes what `parseReferences` gives. It counts only where a repository or a list names the blob as a manifest. */
  addManifest(digest: string, references: ManifestReferences): void {
    const source = this.#numberOf(digest);
    if (source === undefined || this.#edgesOf.has(source)) return;
    const [blobs, manifests] = [references.blobs, references.manifests].map((names) => this.#numbersOf(names));
    if (blobs === undefined || manifests === undefined) return;
    const count = blobs.length + manifests.length;
    if (this.#edges.length + 2 + count > limits.edges) this.#isOverLimit = true;
    if (this.#isOverLimit) return;
    this.#edgesOf.set(source, this.#edges.length);
    this.#otherCount += references.blobs.length + references.manifests.length - count;
    this.#edges.push(blobs.length, manifests.length);
    for (const target of blobs) this.#edges.push(target);
    for (const target of manifests) this.#edges.push(target);
  }

  /** A file named `link`, with its content and its time in seconds since 1970. */
  addLink(path: string, place: LinkPlace, content: string, seconds: number): void {
    this.#linkCount += 1;
    const [, algorithm, hex = ''] = /^([a-z0-9+._-]+):([0-9a-f]{32,})$/.exec(content) ?? [];
    if (algorithm === undefined) {
      this.addLost(path, content === '' ? 'is empty: it names no blob' : 'holds no digest: it names no blob');
    } else if (place.digest !== undefined && algorithm === 'sha256' && hex !== place.digest) {
      this.addLost(path, `names another blob than its place: ${printable(hex)}`);
    } else if (place.isManifest) this.#name(algorithm === 'sha256' ? hex : undefined, place, seconds);
    else if (algorithm === 'sha256') this.#flag(hex, linked);
  }

  /** Something else in the registry that is not in the archive. */
  addLost(path: string, why: string): void {
    this.#lost.add(path, why);
  }

  /** Called once, at the end. What is named since `startedAt` alone may have come while the storage was read. */
  summary(startedAt: Date): ReferenceSummary {
    const missing = this.#lost;
    const neededBy = this.#markNeeded(startedAt.getTime() / 1000);
    const counts = { found: 0, absent: 0, stale: 0 };
    for (const [number, by] of neededBy.entries()) {
      const flags = this.#digests.flagsAt(number);
      if (flags === linked) counts.stale += 1;
      if ((flags & needed) === 0) continue;
      const isThere = (flags & (stored | held)) !== 0;
      counts[isThere ? 'found' : 'absent'] += 1;
      if (!isThere && this.#byIdCount === 0) {
        missing.add(blobPath(this.#hexOf(number)), this.#whyNeeded(number, by));
      }
    }
    if (this.#storedCount + this.#heldCount > 0 && this.#linkCount === 0 && this.#byIdCount === 0) {
      missing.add(repositories, `names none of the blobs: is it mounted?`);
    }
    if (this.#isOverLimit)
      missing.add(repositories, `names more than ${limits.digests} blobs: they are not all compared`);
    const [stale, uncompared] = this.#byIdCount > 0 ? [0, counts.absent] : [counts.stale, 0];
    return {
      references: { missing: missing.listed, stale, uncompared: uncompared + this.#otherCount },
      isNothingThere: counts.found === 0 && counts.absent > 0 && this.#byIdCount === 0,
    };
  }

  /**
   * Marks everything that a tag or a manifest needs; gives for each the manifest that says so, itself where a link does.
   * Blobs are followed only where they are named as manifests: a layer with the text of one needs nothing.
   */
  #markNeeded(startedSeconds: number): Uint32Array {
    const by = new Uint32Array(this.#digests.count);
    const found: number[] = [];
    const need = (number: number, source: number, isManifest: boolean): void => {
      const flags = this.#digests.flagsAt(number);
      if ((flags & needed) === 0) by[number] = source;
      this.#digests.setFlags(number, needed);
      if (!isManifest || (flags & followed) !== 0) return;
      this.#digests.setFlags(number, followed);
      found.push(number);
    };
    for (const [number, { sinceSeconds }] of this.#namings) {
      if (sinceSeconds < startedSeconds) need(number, number, true);
    }
    for (let source = found.pop(); source !== undefined; source = found.pop()) {
      const start = this.#edgesOf.get(source);
      if (start === undefined) continue;
      const first = start + 2;
      const [blobCount = 0, manifestCount = 0] = this.#edges.slice(start, first);
      const targets = this.#edges.slice(first, first + blobCount + manifestCount);
      for (const [edge, target] of targets.entries()) need(target, source, edge >= blobCount);
    }
    return by;
  }

  #whyNeeded(number: number, by: number): string {
    const place = this.#namings.get(by)?.place ?? '';
    const named = place === '' ? '' : ` of ${place}`;
    if (number === by) return `is missing: it is the manifest${named === '' ? ' of a repository' : named}`;
    return `is missing: the manifest sha256:${this.#hexOf(by)}${named} needs it`;
  }

  #hexOf(number: number): string {
    return this.#digests.keyAt(number).toString('hex');
  }

  #name(hex: string | undefined, { repository, tag }: LinkPlace, seconds: number): void {
    const number = this.#numberOf(hex);
    if (number === undefined) {
      this.#otherCount += 1;
      return;
    }
    const before = this.#namings.get(number);
    const place = tag === undefined ? repository : `${repository}:${tag}`;
    // A tag says more than its manifest's repository alone.
    const isBetter = before === undefined || (tag !== undefined && !before.place.includes(':'));
    const isRoom = isBetter && this.#placeCharacters + place.length <= limits.placeCharacters;
    if (isRoom) this.#placeCharacters += place.length;
    this.#namings.set(number, {
      place: isRoom ? printable(place) : (before?.place ?? ''),
      sinceSeconds: Math.min(seconds, before?.sinceSeconds ?? seconds),
    });
  }

  #flag(digest: string, flags: number): void {
    const number = this.#numberOf(digest);
    if (number !== undefined) this.#digests.setFlags(number, flags);
  }

  /** Without those that are no SHA-256. */
  #numbersOf(digests: readonly string[]): number[] {
    return digests
      .map((digest) => this.#numberOf(/^sha256:([0-9a-f]{64})$/.exec(digest)?.[1]))
      .filter((number) => number !== undefined);
  }

  #numberOf(hex: string | undefined): number | undefined {
    if (hex?.length !== 2 * digestBytes) return undefined;
    const number = this.#digests.add(Buffer.from(hex, 'hex'));
    if (number === undefined) this.#isOverLimit = true;
    return number;
  }
}
