/**
 * Writes one archive from front to back: the root, the tables in the order given, the certificates, the manifest, the
 * end. A run that fails stops in the middle: what it wrote has no manifest and no end blocks, and `verify` refuses it.
 */
import { createHash } from 'node:crypto';
import type { Certificate, EntriesProof, Manifest } from '../model/manifest.js';
import { layout } from './layout.js';
import { encodeManifest } from './manifest.js';
import type { Output } from './output.js';
import { TableEntries } from './table-entries.js';
import { writeTail, type TailFile } from './tail.js';
import { directoryHeader } from './ustar.js';

/** A file of a replica's certificate volume; `path` begins with the volume: `ca/rethink/cert.pem`. */
export interface CertificateFile {
  readonly path: string;
  readonly body: Buffer;
}

export class ArchiveWriter {
  readonly #output: Output;
  readonly #root: string;
  readonly #startedAt: Date;
  readonly #certificates: TailFile[] = [];

  private constructor(output: Output, root: string, startedAt: Date) {
    this.#output = output;
    this.#root = root;
    this.#startedAt = startedAt;
  }

  /** Writes the root. `startedAt` is the modification time of every file. The output stays the caller's to close. */
  static async open(output: Output, root: string, startedAt: Date): Promise<ArchiveWriter> {
    const writer = new ArchiveWriter(output, root, startedAt);
    await writer.#directories(layout.root(root), layout.rethink(root));
    return writer;
  }

  /** Writes the table's directory and takes its documents; finish it before anything else is written. */
  async table(name: string): Promise<TableEntries> {
    const directory = layout.table(this.#root, name);
    await this.#directories(directory);
    return new TableEntries(this.#output, directory, Math.floor(this.#startedAt.getTime() / 1000));
  }

  /** Takes a certificate file for the end of the archive; gives what the manifest says of it. */
  addCertificate({ path, body }: CertificateFile): Certificate {
    this.#certificates.push({ path: layout.certificate(this.#root, path), body });
    return { path, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
  }

  /** Writes certificates, manifest and end blocks. Resolves when the output has taken the last byte. */
  async finish(manifest: Manifest): Promise<void> {
    const volumes = new Set(this.#certificates.map(({ path }) => path.split('/').slice(0, 3).join('/')));
    if (volumes.size > 0) {
      await this.#directories(layout.certificates(this.#root), ...[...volumes].map((volume) => `${volume}/`));
    }
    const last: TailFile = { path: layout.manifest(this.#root), body: encodeManifest(manifest) };
    await writeTail(this.#output, [...this.#certificates, last], this.#startedAt);
  }

  async #directories(...paths: string[]): Promise<void> {
    await this.#output.write(Buffer.concat(paths.map(directoryHeader)));
  }
}

/** The proof of no entries at all. */
export const emptyProof: EntriesProof = {
  count: 0,
  bytes: 0,
  largestBytes: 0,
  sha256: createHash('sha256').digest('hex'),
};
