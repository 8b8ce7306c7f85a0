/** Writes an archive into the replica while it is read a second time, and compares what was read with the first reading. */
import type { ArchiveItem } from '../../archive/read/reader.js';
import { keptCertificate, type CertificateFile } from '../../archive/entries/certificates.js';
import { Findings } from '../../archive/verify/findings.js';
import { ArchiveVerifier } from '../../archive/verify/verifier.js';
import type { ArchiveSource, Input } from '../../model/archive-stream.js';
import { WritePool } from '../../rethink/write-pool.js';
import { assertSound, assertUnchanged, openMetadata } from '../archive-reading.js';
import type { Survey } from '../archive-survey.js';
import { ContentComparison } from './restore-comparison.js';
import { TableRestore, type RestoreContext } from './restore-table.js';

interface LoadOptions {
  /** What the first reading found. What was not verified then, is verified now. */
  readonly survey: Survey;
  readonly withCertificates: boolean;
  /** Whether to compare the content of every table with the archive. */
  readonly comparesContent: boolean;
}

/**
 * Resolves with the certificate files when every table of the record is written, on disk, indexed and compared. Whatever
 * it throws, every write begun has been answered by then, or is `unconfirmed` in the record.
 */
export async function loadArchive(
  source: ArchiveSource,
  options: LoadOptions,
  context: Omit<RestoreContext, 'pool'>,
): Promise<CertificateFile[]> {
  await using pool = new WritePool(context.session);
  using comparison = options.comparesContent ? new ContentComparison(options.survey, { ...context, pool }) : undefined;
  const load = new ArchiveLoad(options, { ...context, pool }, comparison);
  {
    await using input = await source.open();
    await load.read(input);
  }
  await load.finish();
  if (comparison === undefined) return load.certificates;
  await using again = await source.open();
  await comparison.compare(again, load.restores);
  return load.certificates;
}

class ArchiveLoad {
  readonly certificates: CertificateFile[] = [];
  /** The tables that have been begun, by directory. */
  readonly restores = new Map<string, TableRestore>();
  readonly #options: LoadOptions;
  readonly #context: RestoreContext;
  readonly #comparison: ContentComparison | undefined;

  constructor(options: LoadOptions, context: RestoreContext, comparison: ContentComparison | undefined) {
    this.#options = options;
    this.#context = context;
    this.#comparison = comparison;
  }

  async read(input: Input): Promise<void> {
    const { survey } = this.#options;
    const verifier = survey.isVerified ? undefined : new ArchiveVerifier();
    const findings = verifier?.findings ?? new Findings();
    const reading = await openMetadata(input, findings, this.#context.context);
    for await (const item of reading.items) {
      verifier?.add(item, reading.reader);
      if (findings.count > 0) break;
      await this.#take(item);
    }
    verifier?.verdict(reading.reader);
    assertSound(input, findings);
    assertUnchanged(input, reading, survey.sha256);
  }

  /** Each step for all tables before the next: the server builds indexes side by side. */
  async finish(): Promise<void> {
    const restores = [...this.restores.values()];
    for (const table of restores) await table.drain();
    for (const table of restores) await table.beginIndexes();
    for (const table of restores) await table.complete();
    const how = this.#options.comparesContent ? '' : '; --verify compares their content, too';
    this.#context.context.log.info(`Compared the number of documents in ${restores.length} tables${how}`);
  }

  async #take(item: ArchiveItem): Promise<void> {
    if (item.kind === 'plan' || item.kind === 'manifest') return;
    if (item.kind === 'certificate') {
      if (this.#options.withCertificates) this.certificates.push(keptCertificate(item));
      return;
    }
    const table = await this.#table(item.directory);
    if (item.kind === 'table' || table === undefined) return;
    if (item.kind === 'changes') this.#comparison?.addChanges(item, table);
    await table.add(item, this.#options.survey.root);
  }

  /** Prepared when it is first met in the archive; undefined for a table that was not chosen. */
  async #table(directory: string): Promise<TableRestore | undefined> {
    const begun = this.restores.get(directory);
    if (begun !== undefined) return begun;
    const { record, context } = this.#context;
    const table = record.tables.get(directory);
    if (table === undefined) return undefined;
    const restore = new TableRestore(table, this.#context);
    this.restores.set(directory, restore);
    context.log.info(`Writing ${restore.name}`);
    record.isBegun = true;
    await restore.prepare();
    return restore;
  }
}
