/** Archives in the layout of ours with entries that our writer refuses: whatever is added stands in them as it is. */
import type { CertificateSet } from '#src/archive/entries/certificates.js';
import { LineBatch } from '#src/archive/entries/line-batch.js';
import { RunningChecksum } from '#src/archive/entries/running-checksum.js';
import { entriesDirectory, layout, rootName, type EntryKind } from '#src/archive/layout.js';
import { encodeManifest } from '#src/archive/manifest.js';
import { encodeFileEntry, endBlocks } from '#src/archive/tar/file-entry.js';
import { blockBytes, directoryHeader, NumberedFileHeaders, paddingBytes } from '#src/archive/tar/ustar.js';
import type { Output } from '#src/model/archive-stream.js';
import type { EntriesChecksum, Manifest, Plan, PlannedTable } from '#src/model/manifest.js';

/** Of entries of one kind; the lines each end in a newline. */
export interface EntriesSink {
  readonly add: (lines: Buffer) => Promise<void>;
  readonly checksums: EntriesChecksum;
}

/** Of one table. */
export interface TableSink {
  readonly documents: EntriesSink;
  readonly changes: EntriesSink;
}

export class UncheckedWriter {
  readonly #output: Output;
  readonly #root: string;
  readonly #mtimeSeconds: number;
  #entryCount = 0;
  #hasJournal = false;

  private constructor(output: Output, plan: Plan) {
    this.#output = output;
    this.#root = rootName(plan);
    this.#mtimeSeconds = Math.floor(Date.parse(plan.startedAt) / 1000);
  }

  static async open(output: Output, plan: Plan): Promise<UncheckedWriter> {
    const writer = new UncheckedWriter(output, plan);
    await writer.#directories(layout.root(writer.#root));
    await writer.#file(layout.plan(writer.#root), encodeManifest(plan));
    await writer.#directories(layout.rethink(writer.#root));
    return writer;
  }

  async table({ directory }: PlannedTable): Promise<TableSink> {
    await this.#directories(layout.table(this.#root, directory));
    const openChanges = async (): Promise<void> => {
      if (!this.#hasJournal) await this.#directories(layout.changes(this.#root));
      this.#hasJournal = true;
      await this.#directories(layout.tableChanges(this.#root, directory));
    };
    return {
      documents: this.#entries('documents', directory, () => Promise.resolve()),
      changes: this.#entries('changes', directory, openChanges),
    };
  }

  async finish(manifest: Manifest, { files }: CertificateSet): Promise<void> {
    const volumes = new Set(files.map(({ path }) => path.split('/', 1).join()));
    const directory = layout.certificates(this.#root);
    if (files.length > 0) await this.#directories(directory, ...[...volumes].map((volume) => `${directory}${volume}/`));
    for (const { path, body } of files) await this.#file(layout.certificate(this.#root, path), body);
    await this.#file(layout.manifest(this.#root), encodeManifest(manifest));
    await this.#output.write(endBlocks);
  }

  #entries(kind: EntryKind, table: string, open: () => Promise<void>): EntriesSink {
    const headers = new NumberedFileHeaders(entriesDirectory(this.#root, kind, table), this.#mtimeSeconds);
    const checksums = new RunningChecksum(kind);
    return {
      add: async (lines) => {
        if (lines.length === 0) return;
        const { count } = checksums.added;
        if (count === 0) await open();
        const batch = new LineBatch(lines, count, this.#entryCount);
        checksums.add(batch);
        for (let index = 0; index < batch.count; index += 1) {
          const body = batch.body(index);
          const header = Buffer.alloc(blockBytes);
          headers.write(header, 0, count + index, body.length);
          await this.#output.write(Buffer.concat([header, body, Buffer.alloc(paddingBytes(body.length))]));
        }
        this.#entryCount += batch.count;
      },
      get checksums() {
        return checksums.checksums;
      },
    };
  }

  async #file(path: string, body: Buffer): Promise<void> {
    const about = { mode: 0o600, uid: 0, gid: 0, mtimeSeconds: this.#mtimeSeconds };
    await this.#output.write(encodeFileEntry({ path, body, ...about }));
    this.#entryCount += 1;
  }

  async #directories(...paths: string[]): Promise<void> {
    for (const path of paths) await this.#output.write(directoryHeader(path));
    this.#entryCount += paths.length;
  }
}
