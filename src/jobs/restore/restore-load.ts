/** Writes an archive into the replica while it is read a second time, and compares what was read with the first reading. */
import { Findings } from '../../archive/verify/findings.js';
import type { ArchiveSource, Input } from '../../model/archive-stream.js';
import { ArchiveReader, type ArchiveItem } from '../../archive/read/reader.js';
import { ArchiveVerifier } from '../../archive/verify/verifier.js';
import { keptCertificate, type CertificateFile } from '../../archive/entries/certificates.js';
import { WritePool } from '../../rethink/write-pool.js';
import { ArchiveChecksum, assertSound, hasChanged, type Survey } from './archive-survey.js';
import { ReadingProgress } from '../reading-progress.js';
import { ContentComparison } from './restore-comparison.js';
import { TableRestore, type RestoreContext } from './restore-table.js';
import type { RestoreTargets } from './restore-targets.js';

export interface LoadOptions {
  /** What the first reading found. What was not verified then, is verified now. */
  readonly survey: Survey;
  readonly allowUnproven: boolean;
  readonly keepsCertificates: boolean;
  /** Whether to compare the content of every table with the archive. */
  readonly comparesContent: boolean;
}

/**
 * Resolves with the certificate files when every table is written, on disk, indexed and compared. Whatever it throws,
 * every write begun has been answered by then, or is `unconfirmed` in the record.
 */
export async function loadArchive(
  source: ArchiveSource,
  tables: RestoreTargets,
  context: Omit<RestoreContext, 'pool'>,
  options: LoadOptions,
): Promise<CertificateFile[]> {
  await using pool = new WritePool(context.session);
  using comparison = options.comparesContent ? new ContentComparison(options.survey, { ...context, pool }) : undefined;
  const load = new ArchiveLoad(tables, { ...context, pool }, comparison, options);
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
  readonly #tables: RestoreTargets;
  readonly #context: RestoreContext;
  readonly #comparison: ContentComparison | undefined;
  readonly #options: LoadOptions;
  readonly #begun = new Map<string, TableRestore | undefined>();

  constructor(
    tables: RestoreTargets,
    context: RestoreContext,
    comparison: ContentComparison | undefined,
    options: LoadOptions,
  ) {
    this.#tables = tables;
    this.#context = context;
    this.#comparison = comparison;
    this.#options = options;
  }

  /** The tables that are restored, by their names in the archive. */
  get restores(): ReadonlyMap<string, TableRestore | undefined> {
    return this.#begun;
  }

  async read(input: Input): Promise<void> {
    const { survey, allowUnproven } = this.#options;
    const verifier = survey.isVerified ? undefined : new ArchiveVerifier();
    const findings = verifier?.findings ?? new Findings();
    const checksum = new ArchiveChecksum();
    const reader = new ArchiveReader(checksum.over(input.chunks), findings);
    const progress = new ReadingProgress(input.sizeBytes, this.#context.context);
    for await (const item of reader.items()) {
      verifier?.add(item, reader.root);
      // Of what is wrong with any archive, at once; what is wrong with one of ours only shows at the end.
      if (findings.count(false) > 0) break;
      await this.#take(item, reader.root ?? '');
      progress.advance(reader.position);
    }
    const manifest = verifier === undefined ? survey.manifest : verifier.verdict(reader.root).manifest;
    assertSound(input, findings, manifest !== undefined, allowUnproven);
    if (checksum.digest() !== survey.sha256) throw hasChanged(input);
  }

  /** Each step for all tables before the next: the server builds indexes side by side. */
  async finish(): Promise<void> {
    const restores = [...this.#begun.values()].filter((table) => table !== undefined);
    for (const table of restores) await table.drain();
    for (const table of restores) await table.beginIndexes();
    for (const table of restores) await table.complete();
    const how = this.#options.comparesContent ? '' : '; --verify compares their content, too';
    this.#context.context.log.info(`Compared the number of documents in ${restores.length} tables${how}`);
  }

  async #take(item: ArchiveItem, root: string): Promise<void> {
    if (item.kind === 'certificate') {
      if (this.#options.keepsCertificates) this.certificates.push(keptCertificate(item));
    } else if (item.kind === 'table') await this.#table(item.table);
    else if (item.kind !== 'manifest') {
      const table = await this.#table(item.table);
      if (table !== undefined && item.kind === 'changes') this.#comparison?.addChanges(item, table);
      await table?.add(item, root);
    }
  }

  /** Made ready when the archive first speaks of it; undefined for a table not chosen. */
  async #table(name: string): Promise<TableRestore | undefined> {
    if (this.#begun.has(name)) return this.#begun.get(name);
    const record = this.#tables.planOf(name);
    const restore = record && new TableRestore(record, this.#context);
    this.#begun.set(name, restore);
    if (restore === undefined) return undefined;
    this.#context.context.log.info(`Writing ${restore.name}`);
    this.#context.record.isBegun = true;
    await restore.prepare();
    return restore;
  }
}
