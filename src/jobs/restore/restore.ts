/** The restore job, top to bottom: survey the archive, reach the replica, lock it, plan, write, compare. */
import { dtrVersionOfRoot } from '../../archive/layout.js';
import { pause } from '../../base/deadline.js';
import { UsageError } from '../../base/errors.js';
import { formatCount } from '../../base/format.js';
import type { ArchiveSource } from '../../model/archive-stream.js';
import type { Access } from '../../model/replica-access.js';
import { describeHolder, LockWatch, lossNoticedWithinMs, RestoreLock } from '../../rethink/restore-lock.js';
import type { RethinkSession } from '../../rethink/session.js';
import { surveyArchive, type Survey } from '../archive-survey.js';
import type { JobContext } from '../job-context.js';
import { reachReplica, type ReachedReplica } from '../replica/replica.js';
import { writeCertificates } from './restore-certificates.js';
import { loadArchive } from './restore-load.js';
import { isChosen, planRestore, refusalError, type RestorePlan, type RestoreWishes } from './restore-plan.js';
import { newRestoreRecord, type RestoreRecord } from './restore-record.js';
import { readTarget } from './restore-target.js';

interface RestoreOptions extends RestoreWishes {
  readonly access: Access;
  readonly dryRun: boolean;
  readonly skipVerify: boolean;
  readonly allowUnproven: boolean;
  readonly breaksLock: boolean;
  /** After a lock was broken, when the run that had it has noticed; `lossNoticedWithinMs` when left out. */
  readonly otherRunStopsWithinMs?: number;
}

export interface RestoreOutcome {
  /** Absent where the run failed before it was planned. */
  readonly plan: RestorePlan | undefined;
  /** What was applied, also by a run that failed; absent where nothing was to be applied. */
  readonly record: RestoreRecord | undefined;
  /** Absent only where the replica holds what the archive holds: every write answered, on disk, indexed, compared. */
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * Never throws: what fails the run is in the outcome, beside what it planned and applied. The archive is read twice:
 * first to verify it and to plan, then to write it.
 */
export async function restore(
  options: RestoreOptions,
  source: ArchiveSource,
  context: JobContext,
): Promise<RestoreOutcome> {
  let plan: RestorePlan | undefined;
  let record: RestoreRecord | undefined;
  try {
    const survey = await surveySource(source, options, context);
    await using replica = await reachReplica(accessFor(options.access, survey), false, context);
    await using lock = options.dryRun ? undefined : await takeLock(replica.session, options, context);
    if (lock?.isTakenOver === true) await awaitOtherRun(options, context);
    const target = await readTarget(replica.session, survey, (table) => isChosen(table, options));
    const isVersionAssumed = isAssumed(options.access);
    plan = planRestore({ survey, target, replica, isVersionAssumed }, options);
    for (const warning of plan.warnings) context.log.warn(warning);
    if (plan.refusals.length > 0) throw refusalError(plan.refusals);
    if (lock !== undefined) {
      record = newRestoreRecord(plan.tables);
      await applyPlan(record, { options, source, survey, replica, lock, context });
    }
  } catch (error) {
    return { plan, record, failure: { error } };
  }
  return { plan, record, failure: undefined };
}

interface Application {
  readonly options: RestoreOptions;
  readonly source: ArchiveSource;
  readonly survey: Survey;
  readonly replica: ReachedReplica;
  readonly lock: RestoreLock;
  readonly context: JobContext;
}

/** Does what was planned, and fills the record as it happens. */
async function applyPlan(
  record: RestoreRecord,
  { options, source, survey, replica, lock, context }: Application,
): Promise<void> {
  await using watch = new LockWatch(lock, replica.session, context.signal);
  const watched = { ...context, signal: watch.signal };
  await using session = replica.session.another(watch.signal);
  const { withCertificates, comparesContent } = options;
  const load = { survey, withCertificates, comparesContent };
  const certificates = await loadArchive(source, load, { session, lock, record, context: watched });
  if (withCertificates) await writeCertificates(certificates, replica, { record, context: watched });
  await lock.assertHeld();
  context.log.info(`Restore complete: ${describeApplied(record)}`);
}

async function surveySource(source: ArchiveSource, options: RestoreOptions, context: JobContext): Promise<Survey> {
  await using input = await source.open();
  const isVerified = !options.skipVerify;
  context.log.info(
    isVerified ? `Verifying ${input.name}` : `Reading ${input.name}: it is verified while it is written`,
  );
  return await surveyArchive(input, { isVerified, allowUnproven: options.allowUnproven }, context);
}

/** Without UCP only the archive tells a version. Throws a UsageError where it does not either. */
function accessFor(access: Access, { root }: Survey): Access {
  if (!isAssumed(access)) return access;
  const dtrVersion = dtrVersionOfRoot(root);
  if (dtrVersion !== undefined) return { ...access, dtrVersion };
  throw new UsageError(['--dtr-version (DTR_VERSION) is needed: neither UCP nor the archive tells the version of DTR']);
}

function isAssumed({ kind, dtrVersion }: Access): boolean {
  return kind === 'direct' && dtrVersion === undefined;
}

/** Two restores at once would both end well, and the tables would hold a mixture. */
async function takeLock(
  session: RethinkSession,
  { breaksLock }: RestoreOptions,
  { log, clock, hostName }: JobContext,
): Promise<RestoreLock> {
  const holder = { owner: hostName, startedAt: clock.now().toISOString() };
  const taken = await RestoreLock.take(session, holder, { isForced: breaksLock, log });
  if (taken instanceof RestoreLock) return taken;
  const remedy = 'wait until it has ended; if it was killed, --break-lock takes its lock';
  throw refusalError([{ what: `another restore writes into this RethinkDB (${describeHolder(taken)})`, remedy }]);
}

/** The run whose lock was broken may not have been killed: it must have stopped before this one looks at the tables. */
async function awaitOtherRun(
  { otherRunStopsWithinMs: waitMs = lossNoticedWithinMs }: RestoreOptions,
  { log, signal }: JobContext,
): Promise<void> {
  log.info(`Waiting ${waitMs / 1000} s: a restore that still runs notices by then that its lock was taken`);
  await pause(waitMs, signal);
}

function describeApplied({ tables }: RestoreRecord): string {
  const all = [...tables.values()];
  const documents = all.reduce((sum, table) => sum + table.documents, 0);
  const changes = all.reduce((sum, table) => sum + table.changes, 0);
  const counted = `${formatCount(documents)} documents${changes === 0 ? '' : ` and ${formatCount(changes)} changes`}`;
  return `${counted} written into ${all.length} tables`;
}
