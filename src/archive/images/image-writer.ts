/**
 * Writes one image archive with archiver: the entries of a registry's storage, the manifest, the end blocks. A run that
 * fails writes neither of the last two, and `verify` refuses its archive.
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

/** Bodies up to this size go to archiver as a Buffer; larger ones need a stream each. */
const maxBufferedBytes = 256 * 1024;

/** Smaller chunks are joined to this size: a million small files must not make three million writes. */
const writeBytes = 256 * 1024;

export class ImageArchiveWriter {
  readonly #root: string;
  readonly #archive = new TarArchive();
  readonly #checksums: ImageChecksum;
  readonly #pumping: Promise<void>;
  /** Settles the entry that archiver is writing. */
  #appending: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  /** The caller closes the output; `references` may hold the blobs of earlier archives. */
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

  /** Corrupt blobs so far. */
  get corruptCount(): number {
    return this.#checksums.corrupt.count;
  }

  /** Called once, after the last entry. */
  references(startedAt: Date): ReferenceSummary {
    return this.#checksums.references(startedAt);
  }

  /**
   * Writes an entry; the body of a file has exactly `entry.bytes`. Gives the reason, in words, where the entry cannot be the
   * next, and then writes nothing and does not read the body. Throws what the body or the output throws.
   */
  async add(entry: ImageEntry, body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string | undefined> {
    const fault = this.#checksums.faultOf(entry);
    if (fault !== undefined) return fault;
    const data = toEntryData(entry, this.#root);
    if (entry.type !== 'file') {
      await this.#append(Buffer.alloc(0), data);
      this.#checksums.add(entry);
      return undefined;
    }
    const checksums = this.#checksums.addFile(entry);
    const stored = observed(body, checksums);
    if (entry.bytes <= maxBufferedBytes) {
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

  /** Resolves when archiver has written all of it. */
  async #append(source: Buffer | Readable, data: EntryData): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#appending = { resolve, reject };
        if (this.#failure !== undefined) reject(this.#failure);
        // archiver does not notice a source that fails.
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
 * Pulled, not piped: a sink that fails in a pipeline from archiver crashes the process, and so does destroying archiver in
 * the middle of an entry. After a failure it is left alone: it holds nothing open.
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
    if (bytes >= writeBytes) await flush();
  }
  await flush();
}
