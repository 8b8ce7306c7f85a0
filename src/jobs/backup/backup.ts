/** The backup job, top to bottom: reach the replica, plan, stream every table into one archive, prove it, end it. */
import type { Output } from '../../model/archive-stream.js';
import { emptyChecksum } from '../../archive/entries/running-checksum.js';
import { CertificateSet } from '../../archive/entries/certificates.js';
import { ArchiveWriter } from '../../archive/write/writer.js';
import { fitsLayout, limits, rootName } from '../../archive/layout.js';
import { abortable } from '../../base/deadline.js';
import { UsageError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Access } from '../../model/replica-access.js';
import {
  formatVersion,
  type Consistency,
  type LeftOut,
  type Manifest,
  type ManifestTable,
} from '../../model/manifest.js';
import type { RateLimit } from '../../model/rate-limit.js';
import { qualifiedName, type CatalogTable } from '../../model/table.js';
import { scanTable } from '../../rethink/scan.js';
import { chooseConsistency } from './consistency.js';
import { readCatalog, rejectOtherCatalog } from '../catalog.js';
import { logOfflinePlan, whileOffline, type OfflineOptions } from '../replica/offline.js';
import { RateLimiter } from './rate-limiter.js';
import type { TableSelection } from './backup-plan.js';
import { BackupProgress, describeWrapped } from '../progress.js';
import { reachReplica, type Replica } from '../replica/replica.js';
import { tableRules } from '../table-rules.js';
import { writeSnapshot, type SnapshotOptions } from './snapshot.js';
import { startOfRun, type JobContext } from '../job-context.js';

export interface BackupOptions extends OfflineOptions, SnapshotOptions {
  readonly access: Access;
  readonly selection: TableSelection;
  readonly withCertificates: boolean;
  readonly rateLimit: RateLimit | undefined;
  readonly dryRun: boolean;
  readonly tool: Manifest['tool'];
}

/** Opens the place the archive goes to; called once the plan stands, so that a run refused earlier leaves nothing. */
export type OpenOutput = (about: { readonly replica: Replica; readonly startedAt: Date }) => Promise<Output>;

/** What a backup will hold. */
interface Plan {
  readonly root: string;
  readonly startedAt: Date;
  readonly tables: readonly CatalogTable[];
  readonly leftOut: readonly LeftOut[];
  readonly certificates: CertificateSet;
  readonly consistency: Consistency;
}

/**
 * Resolves when the output has taken the last byte and committed it: only then the backup is whole. Throws a JobError
 * or the signal's reason otherwise; what was written then has no manifest and no end blocks. Only exit code 12 means a
 * whole backup, too: a container that was stopped for it does not run again.
 */
export async function backup(options: BackupOptions, openOutput: OpenOutput, context: JobContext): Promise<void> {
  const startedAt = startOfRun(context);
  await using replica = await reachReplica(options.access, options.withCertificates, context);
  const plan = await makePlan(replica, options, startedAt, context);
  logPlan(plan, options.dryRun, context);
  logOfflinePlan(replica, options, context);
  if (options.dryRun) return;
  await using output = await openOutput({ replica, startedAt });
  const work = async (onLastTableRead: () => void): Promise<void> => {
    // What does not hear of an abort must not keep the containers stopped, nor the .part.
    const written = await abortable(
      writeArchive(output, replica, plan, options, onLastTableRead, context),
      context.signal,
    );
    await abortable(output.commit(), context.signal);
    context.log.info(`Backup complete: ${written} written to ${output.name}${describeWrapped(output)}`);
  };
  await whileOffline(replica, options, work, context);
}

async function makePlan(replica: Replica, options: BackupOptions, startedAt: Date, context: JobContext): Promise<Plan> {
  // Before anything is asked of the tables, or stopped for them: they are read for hours.
  const certificates = new CertificateSet(replica.certificates, ExitCode.replica);
  const { tables, leftOut } = await readCatalog(replica.session, options.selection);
  const root = rootName({ dtrVersion: replica.dtrVersion, mode: options.mode });
  const tooLong = tables.filter(({ name }) => !fitsLayout(root, name));
  if (tooLong.length > 0)
    throw new UsageError(tooLong.map((table) => `${qualifiedName(table)}: name too long for a tar`));
  if (tables.length > limits.tables)
    throw new UsageError([
      `${tables.length} tables are more than the ${limits.tables} of an archive: see --include-table`,
    ]);
  const consistency = await chooseConsistency(replica, tables, options, context);
  return { root, startedAt, tables, leftOut: [...leftOut, ...replica.leftOut], certificates, consistency };
}

/** One line, and one for what is left out; a line for each table only where the plan is all that was asked for. */
function logPlan({ root, tables, leftOut, consistency }: Plan, isDryRun: boolean, { log }: JobContext): void {
  const estimates = tables.map(({ estimatedDocumentCount }) => estimatedDocumentCount ?? 0);
  const total = estimates.reduce((sum, estimate) => sum + estimate, 0);
  log.info(
    `Plan: ${root}/ with ${tables.length} tables, about ${total.toLocaleString('en-US')} documents, ${consistency}`,
  );
  for (const table of tables) {
    const estimate = table.estimatedDocumentCount?.toLocaleString('en-US') ?? 'an unknown number of';
    const line = `Plan: ${qualifiedName(table)}, about ${estimate} documents, ${table.indexes.length} indexes`;
    if (isDryRun) log.info(line);
    else log.debug(line);
  }
  if (leftOut.length === 0) return;
  const byReason = new Map<string, string[]>();
  for (const { what, why } of leftOut) byReason.set(why, [...(byReason.get(why) ?? []), what]);
  const reasons = [...byReason].map(([why, what]) => `${what.join(', ')} (${why})`);
  log.info(`Plan: without ${reasons.join('; ')}`);
}

/** Gives what was written, in words. */
async function writeArchive(
  output: Output,
  replica: Replica,
  plan: Plan,
  options: BackupOptions,
  onLastTableRead: () => void,
  context: JobContext,
): Promise<string> {
  const writer = await ArchiveWriter.open(output, plan.root, plan.startedAt);
  const progress = new BackupProgress(plan.tables, context);
  const rateLimiter = new RateLimiter(options.rateLimit, context);
  const tables =
    plan.consistency === 'scan'
      ? await writeScan(writer, replica, plan, options, progress, rateLimiter, context)
      : await writeSnapshot(writer, replica.session, plan.tables, options, progress, rateLimiter, context);
  onLastTableRead();
  if (plan.consistency === 'snapshot') await rejectOtherCatalog(replica.session, plan.tables, options.selection);
  await writer.finish(manifestOf(replica, plan, options, tables, context.clock.now()), plan.certificates);
  return progress.total;
}

async function writeScan(
  writer: ArchiveWriter,
  { session }: Replica,
  { tables }: Plan,
  { documentEncoding }: BackupOptions,
  progress: BackupProgress,
  rateLimiter: RateLimiter,
  { log }: JobContext,
): Promise<ManifestTable[]> {
  const written: ManifestTable[] = [];
  for (const table of tables) {
    progress.begin(table);
    const rules = tableRules(table, { documentEncoding, isOrdered: true });
    const entries = await writer.table(table.name, rules);
    for await (const lines of scanTable(session, table, log)) {
      const before = entries.added;
      await entries.add(lines);
      await rateLimiter.pay(before, entries.added);
      progress.advance(table, entries.added);
    }
    const documents = entries.finish();
    progress.end(table, documents);
    const { estimatedDocumentCount, id, ...definition } = table;
    written.push({ ...definition, documents, changes: emptyChecksum });
  }
  return written;
}

function manifestOf(
  replica: Replica,
  plan: Plan,
  options: BackupOptions,
  tables: ManifestTable[],
  finishedAt: Date,
): Manifest {
  return {
    formatVersion,
    tool: options.tool,
    dtrVersion: replica.dtrVersion,
    ...(replica.id !== undefined && { replicaId: replica.id }),
    rethinkdbVersion: replica.rethinkdbVersion ?? 'unknown',
    mode: options.mode,
    consistency: plan.consistency,
    documentEncoding: options.documentEncoding,
    startedAt: plan.startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    leftOut: [...plan.leftOut],
    certificates: [...plan.certificates.described],
    tables,
  };
}
