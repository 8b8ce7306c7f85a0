/** The backup job, top to bottom: reach the replica, plan, stream every table into one archive, end it. */
import { CertificateSet } from '../../archive/entries/certificates.js';
import { metadataFacts } from '../../archive/facts.js';
import { rootName } from '../../archive/layout.js';
import { planFaults } from '../../archive/plan.js';
import { ArchiveWriter } from '../../archive/write/writer.js';
import { abortable } from '../../base/deadline.js';
import { UsageError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { formatCount } from '../../base/format.js';
import type { Destination, Output } from '../../model/archive-stream.js';
import {
  formatVersion,
  type DocumentEncoding,
  type Manifest,
  type Plan,
  type TableCut,
  type Tool,
} from '../../model/manifest.js';
import type { RateLimit } from '../../model/rate-limit.js';
import type { Access } from '../../model/replica-access.js';
import { qualifiedName } from '../../model/table.js';
import type { FeedPart } from '../../rethink/feed-elements.js';
import { scanTable } from '../../rethink/scan.js';
import { assertSameCatalog, readCatalog } from '../catalog.js';
import { startOfRun, type JobContext } from '../job-context.js';
import { BackupProgress, describeWrapped } from '../progress.js';
import { logOfflinePlan, whileOffline, type OfflineOptions } from '../replica/offline.js';
import { reachReplica, type ReachedReplica } from '../replica/replica.js';
import { planTables, type BackupTable, type TableSelection } from './backup-plan.js';
import { chooseConsistency } from './consistency.js';
import { RateLimiter } from './rate-limiter.js';
import { writeSnapshot, type SnapshotOptions } from './snapshot.js';
import { copyTable, type TableCopyContext } from './table-copy.js';

interface BackupOptions extends OfflineOptions, SnapshotOptions {
  readonly access: Access;
  readonly selection: TableSelection;
  readonly withCertificates: boolean;
  readonly documentEncoding: DocumentEncoding;
  readonly rateLimit: RateLimit | undefined;
  readonly dryRun: boolean;
  readonly tool: Tool;
}

export type BackupDestination = Destination<{ readonly replica: ReachedReplica; readonly startedAt: Date }>;

/** What a backup will hold. */
interface BackupPlan {
  readonly plan: Plan;
  /** Those of the plan. */
  readonly tables: readonly BackupTable[];
  readonly certificates: CertificateSet;
}

/**
 * Resolves when the output has taken the last byte and committed it: only then the backup is whole. Throws a JobError
 * or the signal's reason otherwise; what was written then has no manifest and no end blocks. Only exit code 12 means a
 * whole backup, too: a container that was stopped for it does not run again.
 */
export async function backup(
  options: BackupOptions,
  destination: BackupDestination,
  context: JobContext,
): Promise<void> {
  const startedAt = startOfRun(context);
  await using replica = await reachReplica(options.access, options.withCertificates, context);
  const plan = await makePlan(replica, { ...options, startedAt }, context);
  logPlan(plan, options.dryRun, context);
  logOfflinePlan(replica, options, context);
  if (options.dryRun) return;
  await using output = await destination.open({ replica, startedAt });
  const work = async (onLastTableRead: () => void): Promise<void> => {
    // A step that does not notice an abort must not keep the containers stopped, nor the .part.
    const run = { output, replica, options, onLastTableRead, context };
    const { amount, manifest } = await abortable(writeArchive(plan, run), context.signal);
    await abortable(output.commit(), context.signal);
    context.log.info(`Backup complete: ${amount} written to ${output.name}${describeWrapped(output)}`);
    const facts = metadataFacts(plan.plan, manifest, plan.certificates.files);
    await abortable(destination.committed(facts), context.signal);
  };
  await whileOffline(replica, { ...options, work }, context);
}

const withoutCertificates = { what: 'certificates', why: '--no-certificates' };

async function makePlan(
  replica: ReachedReplica,
  options: BackupOptions & { readonly startedAt: Date },
  context: JobContext,
): Promise<BackupPlan> {
  // Before anything is asked of the tables, or stopped for them: they are read for hours.
  const certificates = new CertificateSet(replica.certificates, ExitCode.replica);
  const catalog = await readCatalog(replica.session, options.selection);
  const tables = planTables(catalog.tables);
  const plan: Plan = {
    formatVersion,
    tool: options.tool,
    dtrVersion: replica.dtrVersion,
    ...(replica.id !== undefined && { replicaId: replica.id }),
    rethinkdbVersion: replica.rethinkdbVersion ?? 'unknown',
    mode: options.mode,
    consistency: await chooseConsistency(replica, tables, { options, log: context.log }),
    documentEncoding: options.documentEncoding,
    startedAt: options.startedAt.toISOString(),
    leftOut: [...catalog.leftOut, ...(options.withCertificates ? replica.leftOut : [withoutCertificates])],
    tables: tables.map(({ planned }) => planned),
  };
  const faults = planFaults(plan);
  if (faults.length > 0) throw new UsageError(faults.map((fault) => `${fault}: see --include-table, --exclude-table`));
  return { plan, tables, certificates };
}

/** One line, and one for what is left out; a line for each table only where the plan is all that was asked for. */
function logPlan({ plan, tables }: BackupPlan, isDryRun: boolean, { log }: JobContext): void {
  const estimates = tables.map(({ estimatedDocumentCount }) => estimatedDocumentCount ?? 0);
  const total = formatCount(estimates.reduce((sum, estimate) => sum + estimate, 0));
  log.info(`Plan: ${rootName(plan)}/ with ${tables.length} tables, about ${total} documents, ${plan.consistency}`);
  for (const table of tables) {
    const { estimatedDocumentCount: count } = table;
    const estimate = count === undefined ? 'an unknown number of' : formatCount(count);
    const line = `Plan: ${qualifiedName(table)}, about ${estimate} documents, ${table.indexes.length} indexes`;
    if (isDryRun) log.info(line);
    else log.debug(line);
  }
  if (plan.leftOut.length === 0) return;
  const byReason = new Map<string, string[]>();
  for (const { what, why } of plan.leftOut) byReason.set(why, [...(byReason.get(why) ?? []), what]);
  const reasons = [...byReason].map(([why, what]) => `${what.join(', ')} (${why})`);
  log.info(`Plan: without ${reasons.join('; ')}`);
}

interface Run {
  readonly output: Output;
  readonly replica: ReachedReplica;
  readonly options: BackupOptions;
  readonly onLastTableRead: () => void;
  readonly context: JobContext;
}

/** Gives the manifest, and in words how much was written. */
async function writeArchive(
  { plan, tables, certificates }: BackupPlan,
  { output, replica: { session }, options, onLastTableRead, context }: Run,
): Promise<{ readonly amount: string; readonly manifest: Manifest }> {
  const writer = await ArchiveWriter.open(output, plan, { encoding: 'reql', exitCode: ExitCode.rethinkdb });
  const progress = new BackupProgress(tables, context);
  const copy = { session, writer, progress, rateLimiter: new RateLimiter(options.rateLimit, context), context };
  let cuts: ReadonlyMap<string, TableCut> = new Map();
  if (plan.consistency === 'snapshot') cuts = await writeSnapshot(tables, options, copy);
  else await writeScan(tables, copy);
  onLastTableRead();
  if (plan.consistency === 'snapshot') await assertSameCatalog(session, tables, options.selection);
  const manifest = await writer.finish({ finishedAt: context.clock.now(), certificates, cuts });
  return { amount: progress.total, manifest };
}

async function writeScan(tables: readonly BackupTable[], copy: TableCopyContext): Promise<void> {
  for (const table of tables) {
    copy.progress.begin(table);
    await copyTable(table, documentsOf(scanTable(copy.session, table)), copy);
  }
}

async function* documentsOf(scan: AsyncIterable<Buffer>): AsyncGenerator<readonly FeedPart[], void, undefined> {
  for await (const lines of scan) yield [{ kind: 'documents', lines }];
}
