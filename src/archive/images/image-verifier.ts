/**
 * Reads one image archive from front to back in constant memory, and proves it whole and unaltered, or finds out what is
 * wrong with it. Nothing is trusted and nothing is unpacked.
 */
import { isDeepStrictEqual } from 'node:util';
import { JobError } from '../../base/errors.js';
import { printable } from '../../base/printable.js';
import type { Finding } from '../../model/finding.js';
import type { ImageManifest, Listed, References } from '../../model/image-manifest.js';
import { ByteSource } from '../tar/byte-source.js';
import { DamagedInputError } from '../damaged-input.js';
import { Findings } from '../verify/findings.js';
import { fromTarEntry, isSpelledAsOwn, manifestTime, withinRoot, type ImageEntry } from './image-entry.js';
import { blobDigest, imageManifestPath, isRegistryDirectory } from './image-layout.js';
import { ImageChecksum, type ImageSummary } from './image-checksum.js';
import { decodeImageManifest, checksumOf } from '../manifest.js';
import type { ManifestReferences } from './registry-manifest.js';
import { TarEntries, type TarEntry } from '../tar/tar-entries.js';

export interface ImageVerdict {
  readonly kind: 'images';
  /** `whole`: proved against the manifest. */
  readonly state: 'whole' | 'invalid';
  /** At most 100. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  readonly root: string;
  readonly manifest: ImageManifest | undefined;
  /** Of the manifest, which is its name for other archives. */
  readonly checksum: string | undefined;
  readonly files: ImageSummary['files'];
  readonly blobs: ImageSummary['blobs'];
  /** Blobs that the registry itself held corrupt, where the archive is whole. */
  readonly corrupt: Listed;
  /** What its repositories name and is missing. Of an archive made `--since` others as its manifest says. */
  readonly references: References;
}

/** Told of what passes by. */
export interface ImageObserver {
  /** Bytes of the archive read so far. */
  readonly onProgress?: (bytes: number) => void;
  /** A blob whose content is what its name says. */
  readonly onBlob?: (digest: string) => void;
  /** A blob that may be a manifest, with what it names if it is one. */
  readonly onManifest?: (digest: string, references: ManifestReferences) => void;
}

/** A manifest lists at most some hundred paths. */
const maxManifestBytes = 16 * 1024 * 1024;

/** `chunks` is the tar itself. Throws only what it throws; what is wrong with an archive is in the verdict. */
export async function verifyImages(
  chunks: AsyncIterable<Buffer>,
  root: string,
  observer: ImageObserver = {},
): Promise<ImageVerdict> {
  return new ImageVerifier(chunks, root, observer).read();
}

class ImageVerifier {
  readonly #source: ByteSource;
  readonly #findings = new Findings();
  readonly #tar: TarEntries;
  readonly #root: string;
  readonly #observer: ImageObserver;
  readonly #checksums: ImageChecksum;
  #manifest: ImageManifest | undefined;
  #checksum: string | undefined;
  #hasManifest = false;

  constructor(chunks: AsyncIterable<Buffer>, root: string, observer: ImageObserver) {
    this.#source = new ByteSource(chunks);
    this.#tar = new TarEntries(this.#source, this.#findings);
    this.#root = root;
    this.#observer = observer;
    this.#checksums = new ImageChecksum(undefined, observer.onManifest);
  }

  async read(): Promise<ImageVerdict> {
    try {
      for (let found = await this.#tar.next(); found !== undefined; found = await this.#tar.next()) {
        await this.#take(found);
        this.#observer.onProgress?.(this.#source.position);
      }
      if (!this.#tar.isBroken) await this.#end();
    } catch (error) {
      if (!(error instanceof DamagedInputError)) throw error;
      this.#findings.add(undefined, error.message);
    } finally {
      await this.#source.close();
    }
    return this.#verdict();
  }

  async #take(found: TarEntry): Promise<void> {
    if (this.#hasManifest) this.#findings.add(found.path, 'stands after the manifest');
    if (found.path === imageManifestPath(this.#root)) return this.#takeManifest(found);
    const entry = fromTarEntry(found, withinRoot(this.#root));
    if (typeof entry === 'string') this.#findings.add(found.path, entry);
    else if (!isSpelledAsOwn(found)) this.#findings.add(found.path, 'has a tar header that dtr-backup does not write');
    if (typeof entry === 'string') return this.#tar.skip(found);
    const why = this.#checksums.whyNot(entry);
    if (why !== undefined) this.#findings.add(found.path, why);
    if (entry.type !== 'directory' && isRegistryDirectory(entry.path))
      this.#findings.add(found.path, 'is no directory, and the images should be below it');
    if (entry.type === 'file') return this.#takeFile(found, entry);
    if (found.bytes > 0) this.#findings.add(found.path, 'has a body, though it is no file');
    await this.#tar.skip(found);
    this.#checksums.add(entry);
  }

  async #takeFile(found: TarEntry, entry: ImageEntry): Promise<void> {
    const content = this.#checksums.addFile(entry);
    for await (const piece of this.#tar.pieces(found)) {
      content.update(piece);
      this.#observer.onProgress?.(this.#source.position);
    }
    const sha256 = content.end();
    if (blobDigest(entry.path) === sha256) this.#observer.onBlob?.(sha256);
  }

  async #takeManifest(found: TarEntry): Promise<void> {
    this.#hasManifest = true;
    const time = manifestTime(found);
    if (time === undefined) this.#findings.add(found.path, 'has a tar header that dtr-backup does not write');
    if (found.bytes > maxManifestBytes) {
      this.#findings.add(found.path, `has ${found.bytes} bytes: nothing real needs more than ${maxManifestBytes}`);
      return this.#tar.skip(found);
    }
    const body = await this.#tar.body(found);
    if (body === undefined) return;
    try {
      this.#manifest = decodeImageManifest(body);
      this.#checksum = checksumOf(body);
      const seconds = Math.floor(Date.parse(this.#manifest.startedAt) / 1000);
      if (time !== undefined && seconds !== time)
        this.#findings.add(found.path, 'has another time than the manifest says');
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      this.#findings.add(found.path, error.message.replace(/^the manifest /, ''));
    }
  }

  /** After the end blocks, nothing: also no zeros. */
  async #end(): Promise<void> {
    let restBytes = 0;
    while (await this.#source.fill(1)) restBytes += this.#source.use(this.#source.available).length;
    if (restBytes > 0) this.#findings.add(undefined, `has ${restBytes} trailing bytes`);
    if (!this.#hasManifest) this.#findings.add(undefined, 'has no manifest: it is not whole');
  }

  #verdict(): ImageVerdict {
    const checksums = this.#checksums.summary();
    const references = this.#references();
    if (this.#manifest !== undefined) this.#compare(this.#manifest, checksums);
    const findingCount = this.#findings.count;
    return {
      kind: 'images',
      state: findingCount > 0 ? 'invalid' : 'whole',
      findings: this.#findings.first,
      findingCount,
      root: this.#root,
      manifest: this.#manifest,
      checksum: this.#checksum,
      files: checksums.files,
      blobs: checksums.blobs,
      corrupt: checksums.corrupt,
      references,
    };
  }

  /** Compared with what the manifest says, where no blob is elsewhere. */
  #references(): References {
    const { startedAt = 0, since = [], references: said } = this.#manifest ?? {};
    const { references } = this.#checksums.references(new Date(startedAt));
    if (said === undefined || isDeepStrictEqual(references, said)) return references;
    if (since.length > 0) return said;
    this.#findings.add(undefined, 'has other blobs missing than the manifest says');
    return references;
  }

  #compare(manifest: ImageManifest, checksums: ImageSummary): void {
    const add = (reason: string): void => this.#findings.add(undefined, reason);
    if (`dtr-registry-${manifest.replicaId}` !== this.#root) add('has a manifest of another replica');
    const known = new Set(manifest.corrupt.first.map(({ path }) => path));
    if (checksums.corrupt.count !== manifest.corrupt.count) {
      // Their names tell which ones they are, whatever else was altered.
      for (const { path, why } of checksums.corrupt.first) {
        if (!known.has(path)) this.#findings.add(path, `${why}, which is not what its name says`);
      }
      add(`has ${checksums.corrupt.count} blobs whose content differs from their names, not ${manifest.corrupt.count}`);
    }
    for (const what of ['files', 'blobs'] as const) {
      const [found, said] = [checksums[what], manifest[what]];
      if (found.count !== said.count || found.bytes !== said.bytes) {
        add(`has ${found.count} ${what} of ${found.bytes} bytes, not ${said.count} of ${said.bytes}`);
      }
    }
    if (checksums.directories !== manifest.directories || checksums.links !== manifest.links)
      add('has another number of directories or links than the manifest says');
    if (checksums.entries.count !== manifest.entries.count) add('has another number of entries than the manifest says');
    else if (checksums.entries.sha256 !== manifest.entries.sha256)
      add('has entries that differ from what the manifest says: names, owners, modes, times, links or contents');
  }
}

/** For one line about an archive that is not whole. */
export function firstFinding({ findings }: Pick<ImageVerdict, 'findings'>): string {
  const [first] = findings;
  return first === undefined ? 'no manifest' : `${printable(first.entry ?? 'the archive')}: ${first.reason}`;
}
