/** Writes an archive into the replica while it is read, and, where it was not proved before, while it is proved. */
import { Findings } from '../archive/checks/findings.js';
import type { Input } from '../archive/io/input.js';
import { ArchiveReader, type ArchiveItem } from '../archive/reader.js';
import { ArchiveVerifier } from '../archive/verifier.js';
import type { CertificateFile } from '../archive/writer.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { WriteLanes } from '../rethink/write-lanes.js';
import { demandSound, type Survey } from './archive-survey.js';
import { KeptCertificates } from './kept-certificates.js';
import { ReadingProgress } from './reading-progress.js';
import type { Refusal } from './restore-plan.js';
import { TableRestore, type RestoreContext } from './restore-table.js';
import type { RestoreTargets } from './restore-targets.js';

export interface LoadOptions {
  /** What is known of an archive that was read before; absent for a stream. What was not proved then, is proved now. */
  readonly survey: Survey | undefined;
  readonly allowUnproven: boolean;
  /** Throws when an archive of this root must not be restored. */
  readonly judgeRoot: (root: string) => void;
  readonly keepsCertificates: boolean;
}

/**
 * Resolves with the certificate files when every table is written, on disk, indexed and counted. Whatever it throws,
 * every write begun has been answered by then, or is `unconfirmed` in the record.
 */
export async function loadArchive(
  input: Input,
  tables: RestoreTargets,
  context: Omit<RestoreContext, 'lanes'>,
  options: LoadOptions,
): Promise<CertificateFile[]> {
  await using lanes = new WriteLanes(context.session);
  const load = new ArchiveLoad(tables, { ...context, lanes }, options);
  await load.read(input);
  await load.finish();
  return load.certificates.files;
}

class ArchiveLoad {
  readonly certificates = new KeptCertificates();
  readonly #tables: RestoreTargets;
  readonly #context: RestoreContext;
  readonly #options: LoadOptions;
  readonly #begun = new Map<string, TableRestore | undefined>();

  constructor(tables: RestoreTargets, context: RestoreContext, options: LoadOptions) {
    this.#tables = tables;
    this.#context = context;
    this.#options = options;
  }

  async read(input: Input): Promise<void> {
    const { survey, allowUnproven, judgeRoot } = this.#options;
    const verifier = survey?.isProved === true ? undefined : new ArchiveVerifier();
    const findings = verifier?.findings ?? new Findings();
    const reader = new ArchiveReader(input.chunks, findings);
    const progress = new ReadingProgress(input.sizeBytes, this.#context.world);
    for await (const item of reader.items()) {
      verifier?.add(item, reader.root);
      // Of what is wrong with any archive, at once; what is demanded of ours only shows at the end.
      if (findings.count(false) > 0) break;
      const root = reader.root ?? '';
      if (survey === undefined && this.#context.record.root === undefined) judgeRoot(root);
      await this.#take(item, root);
      progress.advance(reader.position);
    }
    const manifest = verifier === undefined ? survey?.manifest : verifier.verdict(reader.root).manifest;
    demandSound(input.name, findings, manifest !== undefined, allowUnproven);
    if (survey !== undefined) return;
    this.#tables.applyManifest(manifest);
    refuse(this.#context.record.refusals);
  }

  /** Each step for all tables before the next: the server builds indexes side by side. */
  async finish(): Promise<void> {
    const restores = [...this.#begun.values()].filter((table) => table !== undefined);
    for (const table of restores) await table.settle();
    for (const table of restores) await table.beginIndexes();
    for (const table of restores) await table.complete();
    this.#context.world.log.info(`Compared the number of documents in ${restores.length} tables`);
  }

  async #take(item: ArchiveItem, root: string): Promise<void> {
    if (item.kind === 'certificate') {
      if (this.#options.keepsCertificates) this.certificates.add(item);
    } else if (item.kind === 'table') await this.#table(item.table);
    else if (item.kind !== 'manifest') await (await this.#table(item.table))?.add(item, root);
  }

  /** Made ready when the archive first speaks of it; undefined for a table not chosen. */
  async #table(name: string): Promise<TableRestore | undefined> {
    if (this.#begun.has(name)) return this.#begun.get(name);
    const record = await this.#tables.plan(name);
    refuse(this.#context.record.refusals);
    const restore = record && new TableRestore(record, this.#context);
    this.#begun.set(name, restore);
    if (restore === undefined) return undefined;
    this.#context.world.log.info(`Writing ${restore.name}`);
    this.#context.record.isBegun = true;
    await restore.prepare();
    return restore;
  }
}

const mostTold = 5;

/** Throws a JobError with exit code 10 when there is any refusal. */
export function refuse(refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  const told = refusals.slice(0, mostTold).map(({ what }) => what);
  if (refusals.length > mostTold) told.push(`and ${refusals.length - mostTold} more`);
  const remedies = new Set(refusals.map(({ remedy }) => remedy));
  throw new JobError(ExitCode.restoreRefused, `restore refused: ${told.join(', ')}: ${[...remedies].join('; ')}`);
}
