/**
 * Writes one image archive from front to back, through archiver: the entries of a registry's storage as they come, the
 * manifest, the end. A run that fails stops in the middle, without manifest and end blocks, and `verify` refuses it.
 */
import { TarArchive, type EntryData } from 'archiver';
import { Readable } from 'node:stream';
import type { ImageManifest } from '../../model/image-manifest.js';
import { manifestEntryData, toEntryData, type ImageEntry } from './image-entry.js';
import { imageManifestPath } from './image-layout.js';
import type { BlobReferences, ReferenceSummary } from './blob-references.js';
import { ImageChecksum, type ContentHash, type ImageSummary } from './image-checksum.js';
import { encodeManifest } from '../manifest.js';
import type { Output } from '../../model/archive-stream.js';

/** Bodies up to this size go to archiver in one piece, which spares them a stream each. */
const smallBytes = 256 * 1024;

/** Chunks are gathered to this size: a million small files must not make three million writes. */
const gatheredBytes = 256 * 1024;

export class ImageArchiveWriter {
  readonly #root: string;
  readonly #archive = new TarArchive();
  readonly #checksums: ImageChecksum;
  readonly #pumping: Promise<void>;
  /** Of the entry that archiver has in hand. */
  #appending: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  /** The output stays the caller's to close; `references` may know of earlier archives. */
  constructor(output: Output, root: string, references?: BlobReferences) {
    this.#root = root;
    this.#checksums = new ImageChecksum(references);
    const fail = (error: unknown): void => {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
      this.#appending?.reject(this.#failure);
    };
    this.#archive.on('entry', () => this.#appending?.resolve());
    this.#archive.on('error', fail);
    this.#pumping = pump(this.#archive, output);
    this.#pumping.catch(fail);
  }

  /** What was found corrupt so far. */
  get corruptCount(): number {
    return this.#checksums.corrupt.count;
  }

  /** What was found of the references between blobs; called once, after the last entry. */
  references(startedAt: Date): ReferenceSummary {
    return this.#checksums.references(startedAt);
  }

  /**
   * Takes an entry, and of a file exactly `entry.bytes` of body. An entry that may not stand there is not taken, nor its
   * body, and the reason given, in words. Throws what the body or the output throws.
   */
  async add(entry: ImageEntry, body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string | undefined> {
    const why = this.#checksums.whyNot(entry);
    if (why !== undefined) return why;
    const data = toEntryData(entry, this.#root);
    if (entry.type !== 'file') {
      await this.#append(Buffer.alloc(0), data);
      this.#checksums.add(entry);
      return undefined;
    }
    const checksums = this.#checksums.addFile(entry);
    const stored = observed(body, checksums);
    if (entry.bytes <= smallBytes) {
      const pieces: Buffer[] = [];
      for await (const piece of stored) pieces.push(piece);
      await this.#append(Buffer.concat(pieces), data);
    } else {
      await this.#append(Readable.from(stored, { objectMode: false }), data);
    }
    checksums.end();
    return undefined;
  }

  /** Writes the manifest and the end blocks. Resolves, with the manifest, when the output has taken the last byte. */
  async finish(complete: (checksums: ImageSummary) => ImageManifest): Promise<ImageManifest> {
    const manifest = complete(this.#checksums.summary());
    const body = encodeManifest(manifest);
    await this.#append(body, manifestEntryData(imageManifestPath(this.#root), manifest.startedAt));
    const finalized = this.#archive.finalize();
    finalized.catch(() => undefined);
    await this.#pumping;
    await finalized;
    return manifest;
  }

  /** Resolves when archiver has passed all of it on. */
  async #append(source: Buffer | Readable, data: EntryData): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#appending = { resolve, reject };
        if (this.#failure !== undefined) reject(this.#failure);
        // archiver does not hear of a source that fails.
        if (source instanceof Readable) source.once('error', reject);
        this.#archive.append(source, data);
      });
    } finally {
      this.#appending = undefined;
      if (source instanceof Readable) source.destroy();
    }
  }
}

async function* observed(
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  checksums: ContentHash,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of body) {
    checksums.update(piece);
    yield piece;
  }
}

/**
 * Pulled by hand, not piped: a sink that fails inside a pipeline from archiver takes the process down. Destroying it in
 * the middle of an entry does so, too, so after a failure it is left where it stands: it holds nothing that is open.
 */
async function pump(archive: TarArchive, output: Output): Promise<void> {
  let pending: Buffer[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const [first, ...others] = pending;
    if (first !== undefined) await output.write(others.length === 0 ? first : Buffer.concat(pending, bytes));
    pending = [];
    bytes = 0;
  };
  for await (const chunk of archive.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    pending.push(chunk);
    bytes += chunk.length;
    if (bytes >= gatheredBytes) await flush();
  }
  await flush();
}
