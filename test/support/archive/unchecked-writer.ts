/** Archives in the layout of ours with entries that our writer refuses: whatever is added stands in them as it is. */
import type { CertificateSet } from '#src/archive/entries/certificates.js';
import { LineBatch } from '#src/archive/entries/line-batch.js';
import { RunningChecksum } from '#src/archive/entries/running-checksum.js';
import { writeTail } from '#src/archive/write/tail.js';
import type { Output } from '#src/model/archive-stream.js';
import { entriesDirectory, layout, type EntryKind } from '#src/archive/layout.js';
import { encodeManifest } from '#src/archive/manifest.js';
import { blockBytes, directoryHeader, NumberedFileHeaders, paddingBytes } from '#src/archive/tar/ustar.js';
import type { EntriesChecksum, Manifest } from '#src/model/manifest.js';

/** Of entries of one kind; the lines each end in a newline. */
export interface EntriesSink {
  readonly add: (lines: Buffer) => Promise<void>;
  readonly finish: () => EntriesChecksum;
}

export class UncheckedWriter {
  readonly #output: Output;
  readonly #root: string;
  readonly #startedAt: Date;
  #entryCount = 0;
  #hasJournal = false;

  private constructor(output: Output, root: string, startedAt: Date) {
    this.#output = output;
    this.#root = root;
    this.#startedAt = startedAt;
  }

  static async open(output: Output, root: string, startedAt: Date): Promise<UncheckedWriter> {
    const writer = new UncheckedWriter(output, root, startedAt);
    await writer.#directories(layout.root(root), layout.rethink(root));
    return writer;
  }

  async table(name: string): Promise<EntriesSink> {
    await this.#directories(layout.table(this.#root, name));
    return this.#entries('documents', name, () => Promise.resolve());
  }

  changes(name: string): EntriesSink {
    return this.#entries('changes', name, async () => {
      if (!this.#hasJournal) await this.#directories(layout.changes(this.#root));
      this.#hasJournal = true;
      await this.#directories(layout.tableChanges(this.#root, name));
    });
  }

  async finish(manifest: Manifest, { files }: CertificateSet): Promise<void> {
    const volumes = new Set(files.map(({ path }) => path.split('/', 1).join()));
    const directory = layout.certificates(this.#root);
    if (files.length > 0) await this.#directories(directory, ...[...volumes].map((volume) => `${directory}${volume}/`));
    const certificates = files.map((file) => ({ path: layout.certificate(this.#root, file.path), body: file.body }));
    const last = { path: layout.manifest(this.#root), body: encodeManifest(manifest) };
    await writeTail(this.#output, [...certificates, last], this.#startedAt);
  }

  #entries(kind: EntryKind, table: string, open: () => Promise<void>): EntriesSink {
    const directory = entriesDirectory(this.#root, kind, table);
    const headers = new NumberedFileHeaders(directory, Math.floor(this.#startedAt.getTime() / 1000));
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
      finish: () => checksums.checksums,
    };
  }

  async #directories(...paths: string[]): Promise<void> {
    for (const path of paths) await this.#output.write(directoryHeader(path));
    this.#entryCount += paths.length;
  }
}
