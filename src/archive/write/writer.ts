/**
 * Writes one archive from front to back: the root, the tables in the order given with their journals between, the
 * certificates, the manifest, the end. A run that fails stops in the middle: what it wrote has no manifest and no end blocks, and `verify` refuses it.
 */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Manifest } from '../../model/manifest.js';
import { BlockBuffer } from './block-buffer.js';
import { entriesDirectory, layout, limits, type EntryKind } from '../layout.js';
import { encodeManifest } from '../manifest.js';
import { NumberedEntries, type NumberedEntriesOptions, type TableRules } from './numbered-entries.js';
import type { Output } from '../../model/archive-stream.js';
import type { CertificateSet } from '../entries/certificates.js';
import { writeTail, type TailFile } from './tail.js';
import { directoryHeader, NumberedFileHeaders } from '../tar/ustar.js';

export class ArchiveWriter {
  readonly #output: Output;
  readonly #buffer: BlockBuffer;
  readonly #root: string;
  readonly #startedAt: Date;
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

  /** Lays the table's directory and takes its documents, all of them before the next table's. Once for each table. */
  async table(name: string, rules: TableRules): Promise<NumberedEntries> {
    await this.#directories(layout.table(this.#root, name));
    return this.#entries('documents', name, { opening: () => [], rules });
  }

  /**
   * Takes the changes of a table whose `table` was called, at any time before `finish`: a change of a document after
   * that document. Nothing of it is in the archive before the first change. Once for each table.
   */
  changes(name: string, rules: TableRules): NumberedEntries {
    const opening = (): readonly Buffer[] => {
      const paths = this.#hasJournal ? [] : [layout.changes(this.#root)];
      this.#hasJournal = true;
      return [...paths, layout.tableChanges(this.#root, name)].map(directoryHeader);
    };
    return this.#entries('changes', name, { opening, rules });
  }

  /**
   * Writes certificates, manifest and end blocks; the manifest has what the set says of its files. Resolves when the
   * output has taken the last byte.
   */
  async finish(manifest: Manifest, { files }: CertificateSet): Promise<void> {
    const volumes = new Set(files.map(({ path }) => path.split('/', 1).join()));
    if (volumes.size > 0) {
      const directory = layout.certificates(this.#root);
      await this.#directories(directory, ...[...volumes].map((volume) => `${directory}${volume}/`));
    }
    await this.#buffer.inTurn(() => this.#buffer.flush());
    const body = encodeManifest(manifest);
    const maxBytes = limits.manifestBytes;
    if (body.length > maxBytes)
      throw new JobError(
        ExitCode.usage,
        `manifest.json has ${body.length} bytes: an archive takes at most ${maxBytes}`,
      );
    const certificates = files.map((file) => ({ path: layout.certificate(this.#root, file.path), body: file.body }));
    const last: TailFile = { path: layout.manifest(this.#root), body };
    await writeTail(this.#output, [...certificates, last], this.#startedAt);
  }

  #entries(
    kind: EntryKind,
    table: string,
    options: Pick<NumberedEntriesOptions, 'opening' | 'rules'>,
  ): NumberedEntries {
    const directory = entriesDirectory(this.#root, kind, table);
    const headers = new NumberedFileHeaders(directory, Math.floor(this.#startedAt.getTime() / 1000));
    return new NumberedEntries(this.#buffer, { kind, headers, ...options });
  }

  async #directories(...paths: string[]): Promise<void> {
    await this.#buffer.inTurn(async () => {
      for (const path of paths) await this.#buffer.layHeader(directoryHeader(path));
    });
  }
}
