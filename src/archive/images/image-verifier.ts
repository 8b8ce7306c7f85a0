/** Reads one image archive from front to back, verifies it against its manifest, or finds what is wrong. Unpacks nothing. */
import { isDeepStrictEqual } from 'node:util';
import { JobError } from '../../base/errors.js';
import { printable } from '../../base/printable.js';
import type { Finding } from '../../model/finding.js';
import type { ImageManifest, Listed, References } from '../../model/image-manifest.js';
import { ByteSource } from '../tar/byte-source.js';
import { DamagedInputError } from '../damaged-input.js';
import { Findings } from '../verify/findings.js';
import { fromTarEntry, hasOwnHeader, manifestTime, withinRoot, type ImageEntry } from './image-entry.js';
import { imageManifestPath, imageRoot, isRegistryDirectory } from './image-layout.js';
import { ImageChecksum, type BlobObserver, type ImageSummary } from './image-checksum.js';
import { decodeImageManifest, checksumOf } from '../manifest.js';
import { TarEntries, type TarEntry } from '../tar/tar-entries.js';

export interface ImageVerdict {
  readonly kind: 'images';
  /** `whole`: verified against the manifest. */
  readonly state: 'whole' | 'invalid';
  /** At most 100. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  readonly root: string;
  readonly manifest: ImageManifest | undefined;
  /** Of the manifest; other archives name this one by it. */
  readonly checksum: string | undefined;
  readonly files: ImageSummary['files'];
  /** Those by id among them. */
  readonly blobs: ImageSummary['blobs'];
  /** Only the metadata has their digests. */
  readonly blobsById: ImageSummary['blobs'];
  /** Blobs that were corrupt in the registry itself, where the archive is whole. */
  readonly corrupt: Listed;
  /** What its repositories name and is missing. Of an archive made `--since` others, what its manifest says. */
  readonly references: References;
}

export interface ImageObserver extends BlobObserver {
  /** Bytes of the archive read so far. */
  readonly onProgress?: (bytes: number) => void;
}

const nothing = { count: 0, bytes: 0 };

/** A manifest lists at most some hundred paths. */
const maxManifestBytes = 16 * 1024 * 1024;

/** `chunks` is the tar itself. Throws only what it throws; what is wrong with the archive is in the verdict. */
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
    this.#checksums = new ImageChecksum(undefined, observer);
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
    const add = (reason: string): void => this.#findings.add(found.path, reason);
    if (this.#hasManifest) add('follows the manifest');
    if (found.path === imageManifestPath(this.#root)) return this.#takeManifest(found);
    const read = fromTarEntry(found, withinRoot(this.#root));
    if (read.kind === 'fault') {
      add(read.why);
      return this.#tar.skip(found);
    }
    const { entry } = read;
    if (!hasOwnHeader(found)) add('has a tar header that dtr-backup does not write');
    const fault = this.#checksums.faultOf(entry);
    if (fault !== undefined) add(fault);
    if (entry.type !== 'directory' && isRegistryDirectory(entry.path))
      add('is not a directory, and the images should be below it');
    if (entry.type === 'file') return this.#takeFile(found, entry);
    if (found.bytes > 0) add('has a body, but is not a file');
    await this.#tar.skip(found);
    this.#checksums.add(entry);
  }

  async #takeFile(found: TarEntry, entry: ImageEntry): Promise<void> {
    const content = this.#checksums.addFile(entry);
    for await (const piece of this.#tar.pieces(found)) {
      content.update(piece);
      this.#observer.onProgress?.(this.#source.position);
    }
    content.end();
  }

  async #takeManifest(found: TarEntry): Promise<void> {
    this.#hasManifest = true;
    const time = manifestTime(found);
    if (time === undefined) this.#findings.add(found.path, 'has a tar header that dtr-backup does not write');
    if (found.bytes > maxManifestBytes) {
      this.#findings.add(found.path, `has ${found.bytes} bytes, more than the limit of ${maxManifestBytes}`);
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

  /** Not even zeros may follow the end blocks. */
  async #end(): Promise<void> {
    const trailingBytes = await this.#source.drain();
    if (trailingBytes > 0) this.#findings.add(undefined, `has ${trailingBytes} trailing bytes`);
    if (!this.#hasManifest) this.#findings.add(undefined, 'has no manifest: it is not whole');
  }

  #verdict(): ImageVerdict {
    const summary = this.#checksums.summary();
    const { files, blobs, blobsById = nothing, corrupt } = summary;
    const references = this.#references();
    if (this.#manifest !== undefined) this.#compare(this.#manifest, summary);
    const findingCount = this.#findings.count;
    return {
      kind: 'images',
      state: findingCount > 0 ? 'invalid' : 'whole',
      findings: this.#findings.first,
      findingCount,
      root: this.#root,
      manifest: this.#manifest,
      checksum: this.#checksum,
      ...{ files, blobs, blobsById, corrupt, references },
    };
  }

  /** Compared with what the manifest says, unless blobs are in other archives. */
  #references(): References {
    const { startedAt = 0, since = [], references: said } = this.#manifest ?? {};
    const { references } = this.#checksums.references(new Date(startedAt));
    if (said === undefined || isDeepStrictEqual(references, said)) return references;
    if (since.length > 0) return said;
    this.#findings.add(undefined, 'misses other blobs than the manifest says');
    return references;
  }

  #compare(manifest: ImageManifest, checksums: ImageSummary): void {
    const add = (reason: string): void => this.#findings.add(undefined, reason);
    if (imageRoot(manifest.replicaId) !== this.#root) add('has a manifest of another replica');
    if (checksums.corrupt.count !== manifest.corrupt.count) {
      const known = new Set(manifest.corrupt.first.map(({ path }) => path));
      for (const { path, why } of checksums.corrupt.first) {
        if (!known.has(path)) this.#findings.add(path, `${why}, which does not match its name`);
      }
      add(
        `has ${checksums.corrupt.count} blobs whose content does not match their names, not ${manifest.corrupt.count}`,
      );
    }
    for (const what of ['files', 'blobs', 'blobsById'] as const) {
      const [found = nothing, said = nothing] = [checksums[what], manifest[what]];
      if (found.count !== said.count || found.bytes !== said.bytes) {
        add(
          `has ${found.count} ${what === 'blobsById' ? 'blobs by id' : what} of ${found.bytes} bytes, not ${said.count} of ${said.bytes}`,
        );
      }
    }
    if (checksums.directories !== manifest.directories || checksums.links !== manifest.links)
      add('has another number of directories or links than the manifest says');
    if (checksums.entries.count !== manifest.entries.count) add('has another number of entries than the manifest says');
    else if (checksums.entries.sha256 !== manifest.entries.sha256)
      add('has entries that differ from the manifest: names, owners, modes, times, links or contents');
  }
}

/** The first finding of an archive that is not whole, in one line. */
export function firstFinding({ findings }: Pick<ImageVerdict, 'findings'>): string {
  const [first] = findings;
  return first === undefined ? 'no manifest' : `${printable(first.entry ?? 'the archive')}: ${first.reason}`;
}
