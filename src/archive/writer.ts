/**
 * Writes one archive from front to back: the root, the tables in the order given with their journals between, the
 * certificates, the manifest, the end. A run that fails stops in the middle: what it wrote has no manifest and no end blocks, and `verify` refuses it.
 */
import { createHash } from 'node:crypto';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { printable } from '../base/printable.js';
import type { Certificate, Manifest } from '../model/manifest.js';
import { BlockBuffer } from './entries/block-buffer.js';
import { entriesDirectory, layout, limits, type EntryKind } from './layout.js';
import { encodeManifest } from './manifest.js';
import { NumberedEntries, type NumberedEntriesOptions, type TableRules } from './entries/numbered-entries.js';
import type { Output } from './io/output.js';
import { CertificatePaths } from './entries/certificate-path.js';
import { writeTail, type TailFile } from './entries/tail.js';
import { directoryHeader, NumberedFileHeaders } from './tar/ustar.js';

/** A file of a replica's certificate volume; `path` begins with the volume: `ca/rethink/cert.pem`. */
export interface CertificateFile {
  readonly path: string;
  readonly body: Buffer;
}

export class ArchiveWriter {
  readonly #output: Output;
  readonly #buffer: BlockBuffer;
  readonly #root: string;
  readonly #startedAt: Date;
  readonly #certificates: TailFile[] = [];
  readonly #certificatePaths = new CertificatePaths();
  #hasJournal = false;

  private constructor(output: Output, root: string, startedAt: Date) {
    this.#output = output;
    this.#buffer = new BlockBuffer(output);
    this.#root = root;
    this.#startedAt = startedAt;
  }

  /** Writes the root. `startedAt` is the modification time of every file. The output stays the caller's to close. */
  static async open(output: Output, root: string, startedAt: Date): Promise<ArchiveWriter> {
    const writer = new ArchiveWriter(output, root, startedAt);
    await writer.#directories(layout.root(root), layout.rethink(root));
    await writer.#buffer.flush();
    return writer;
  }

  /**
   * Lays the table's directory and takes its documents, all of them before the next table's. Once for each table. Without
   * rules nobody asks whether a reader will take them.
   */
  async table(name: string, rules?: TableRules): Promise<NumberedEntries> {
    await this.#directories(layout.table(this.#root, name));
    return this.#entries('documents', name, { opening: () => [], rules });
  }

  /**
   * Takes the changes of a table whose `table` was called, at any time before `finish`: a change of a document after
   * that document. Nothing of it is in the archive before the first change. Once for each table.
   */
  changes(name: string, rules?: TableRules): NumberedEntries {
    const opening = (): readonly Buffer[] => {
      const paths = this.#hasJournal ? [] : [layout.changes(this.#root)];
      this.#hasJournal = true;
      return [...paths, layout.tableChanges(this.#root, name)].map(directoryHeader);
    };
    return this.#entries('changes', name, { opening, rules });
  }

  /** Takes a certificate file for the end of the archive; gives what the manifest says of it. */
  addCertificate({ path, body }: CertificateFile): Certificate {
    const fault = this.#certificatePaths.add(path, false);
    if (fault !== undefined)
      throw new JobError(ExitCode.usage, `certificate file ${printable(path)} ${fault}: an archive does not take it`);
    if (body.length > limits.certificateBytes) throw tooLarge(path, body, limits.certificateBytes);
    if (this.#certificates.length === limits.certificates)
      throw new JobError(ExitCode.usage, `an archive takes at most ${limits.certificates} certificate files`);
    this.#certificates.push({ path: layout.certificate(this.#root, path), body });
    return { path, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
  }

  /** Writes certificates, manifest and end blocks. Resolves when the output has taken the last byte. */
  async finish(manifest: Manifest): Promise<void> {
    const conflict = this.#certificatePaths.conflict();
    if (conflict !== undefined)
      throw new JobError(ExitCode.usage, `certificate file ${printable(conflict)} has others below it`);
    const volumes = new Set(this.#certificates.map(({ path }) => path.split('/').slice(0, 3).join('/')));
    if (volumes.size > 0) {
      await this.#directories(layout.certificates(this.#root), ...[...volumes].map((volume) => `${volume}/`));
    }
    await this.#buffer.inTurn(() => this.#buffer.flush());
    const body = encodeManifest(manifest);
    if (body.length > limits.manifestBytes) throw tooLarge('manifest.json', body, limits.manifestBytes);
    const last: TailFile = { path: layout.manifest(this.#root), body };
    await writeTail(this.#output, [...this.#certificates, last], this.#startedAt);
  }

  #entries(
    kind: EntryKind,
    table: string,
    options: Pick<NumberedEntriesOptions, 'opening' | 'rules'>,
  ): NumberedEntries {
    const directory = entriesDirectory(this.#root, kind, table);
    const headers = new NumberedFileHeaders(directory, Math.floor(this.#startedAt.getTime() / 1000));
    return new NumberedEntries(this.#buffer, { kind, directory, headers, ...options });
  }

  async #directories(...paths: string[]): Promise<void> {
    await this.#buffer.inTurn(async () => {
      for (const path of paths) await this.#buffer.layHeader(directoryHeader(path));
    });
  }
}

function tooLarge(path: string, body: Buffer, mostBytes: number): JobError {
  return new JobError(ExitCode.usage, `${path} has ${body.length} bytes: an archive takes at most ${mostBytes}`);
}
