/**
 * Writes one archive from front to back: root, plan, the tables of the plan with their changes between, certificates,
 * manifest, end blocks. A run that fails stops in the middle: what it wrote has no manifest and no end blocks, and
 * `verify` refuses it.
 */
import { JobError, UsageError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Output } from '../../model/archive-stream.js';
import {
  formatVersion,
  type Conversion,
  type Manifest,
  type Plan,
  type PlannedTable,
  type TableCut,
  type TableResult,
} from '../../model/manifest.js';
import { qualifiedName } from '../../model/table.js';
import type { CertificateSet } from '../entries/certificates.js';
import { entriesDirectory, layout, limits, rootName, type EntryKind } from '../layout.js';
import { checksumOf, encodeManifest } from '../manifest.js';
import { planFaults, startSeconds } from '../plan.js';
import { encodeFileEntry, endBlocks } from '../tar/file-entry.js';
import { directoryHeader, NumberedFileHeaders } from '../tar/ustar.js';
import { isOrdered } from '../verify/primary-keys.js';
import { TableCheck } from '../verify/table-check.js';
import { BlockBuffer } from './block-buffer.js';
import { NumberedEntries, type EntriesOrigin } from './numbered-entries.js';

/** What is known only when all tables have been written. */
interface ArchiveEnd {
  readonly finishedAt: Date;
  readonly certificates: CertificateSet;
  /** By directory; none in a scan. */
  readonly cuts?: ReadonlyMap<string, TableCut>;
  readonly conversions?: readonly Conversion[];
}

/** The entries of one table. */
export interface TableEntries {
  readonly documents: NumberedEntries;
  /**
   * To be written at any time before `finish`: a change of a document after that document. Nothing of them is in the
   * archive before the first change.
   */
  readonly changes: NumberedEntries;
}

export class ArchiveWriter {
  readonly #buffer: BlockBuffer;
  readonly #plan: Plan;
  readonly #planBody: Buffer;
  readonly #origin: EntriesOrigin;
  readonly #root: string;
  /** By directory. */
  readonly #tables = new Map<string, TableEntries>();
  #hasChanges = false;

  private constructor(output: Output, plan: Plan, origin: EntriesOrigin) {
    this.#buffer = new BlockBuffer(output);
    this.#plan = plan;
    this.#planBody = limited(encodeManifest(plan), 'plan.json');
    this.#origin = origin;
    this.#root = rootName(plan);
  }

  /**
   * Writes root and plan. Throws a UsageError (exit code 2) for a plan that no archive can hold. The output stays the
   * caller's to close.
   */
  static async open(output: Output, plan: Plan, origin: EntriesOrigin): Promise<ArchiveWriter> {
    const faults = planFaults(plan);
    if (faults.length > 0) throw new UsageError(faults);
    const writer = new ArchiveWriter(output, plan, origin);
    await writer.#directories(layout.root(writer.#root));
    await writer.#files([{ path: layout.plan(writer.#root), body: writer.#planBody }]);
    await writer.#directories(layout.rethink(writer.#root));
    await writer.#buffer.flush();
    return writer;
  }

  /** Adds the table's directory. Called once for each table of the plan, in its order, after the documents of the last. */
  async table(table: PlannedTable): Promise<TableEntries> {
    const { directory, primaryKey } = table;
    if (this.#plan.tables[this.#tables.size] !== table)
      throw new Error(`${directory} is not the next table of the plan`);
    await this.#directories(layout.table(this.#root, directory));
    const { documentEncoding } = this.#plan;
    const check = new TableCheck({ primaryKey, documentEncoding, isOrdered: isOrdered(this.#plan) });
    const entries = {
      documents: this.#entries('documents', table, { check, opening: () => [] }),
      changes: this.#entries('changes', table, { check, opening: () => this.#openChanges(directory) }),
    };
    this.#tables.set(directory, entries);
    return entries;
  }

  /** Writes certificates, manifest and end blocks. Resolves when the output has taken the last byte. */
  async finish({ finishedAt, certificates, cuts, conversions }: ArchiveEnd): Promise<Manifest> {
    if (this.#tables.size < this.#plan.tables.length) throw new Error('not all tables of the plan were written');
    const { files } = certificates;
    const directory = layout.certificates(this.#root);
    const volumes = new Set(files.map(({ path }) => path.split('/', 1).join()));
    if (volumes.size > 0) await this.#directories(directory, ...[...volumes].map((volume) => `${directory}${volume}/`));
    const tables = [...this.#tables].map(([name, { documents, changes }]): TableResult => {
      return { directory: name, ...cuts?.get(name), documents: documents.checksums, changes: changes.checksums };
    });
    const manifest: Manifest = {
      formatVersion,
      planChecksum: checksumOf(this.#planBody) ?? '',
      finishedAt: finishedAt.toISOString(),
      tables,
      certificates: [...certificates.described],
      ...(conversions !== undefined && { conversions: [...conversions] }),
    };
    const body = limited(encodeManifest(manifest), 'manifest.json');
    await this.#files(files.map((file) => ({ path: layout.certificate(this.#root, file.path), body: file.body })));
    await this.#files([{ path: layout.manifest(this.#root), body }]);
    await this.#buffer.inTurn(() => this.#buffer.layFile(endBlocks));
    return manifest;
  }

  #entries(
    kind: EntryKind,
    table: PlannedTable,
    { check, opening }: { readonly check: TableCheck; readonly opening: () => readonly Buffer[] },
  ): NumberedEntries {
    const path = entriesDirectory(this.#root, kind, table.directory);
    return new NumberedEntries(this.#buffer, {
      kind,
      label: qualifiedName(table),
      headers: new NumberedFileHeaders(path, startSeconds(this.#plan)),
      opening,
      check: check[kind],
      origin: this.#origin,
      documentEncoding: this.#plan.documentEncoding,
    });
  }

  #openChanges(directory: string): readonly Buffer[] {
    const paths = this.#hasChanges ? [] : [layout.changes(this.#root)];
    this.#hasChanges = true;
    return [...paths, layout.tableChanges(this.#root, directory)].map(directoryHeader);
  }

  async #directories(...paths: string[]): Promise<void> {
    await this.#buffer.inTurn(async () => {
      for (const path of paths) await this.#buffer.layHeader(directoryHeader(path));
    });
  }

  async #files(files: readonly { readonly path: string; readonly body: Buffer }[]): Promise<void> {
    const about = { mode: 0o600, uid: 0, gid: 0, mtimeSeconds: startSeconds(this.#plan) };
    await this.#buffer.inTurn(async () => {
      for (const file of files) await this.#buffer.layFile(encodeFileEntry({ ...file, ...about }));
    });
  }
}

function limited(body: Buffer, name: string): Buffer {
  const maxBytes = limits.manifestBytes;
  if (body.length <= maxBytes) return body;
  throw new JobError(ExitCode.usage, `${name} has ${body.length} bytes: an archive takes at most ${maxBytes}`);
}
