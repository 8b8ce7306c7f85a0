/** The restore job, top to bottom: verify the archive, reach the replica, lock it, plan, write, compare. */
import type { ArchiveSource } from '../../model/archive-stream.js';
import { dtrVersionOfRoot } from '../../archive/layout.js';
import { pause } from '../../base/deadline.js';
import { UsageError } from '../../base/errors.js';
import type { Access } from '../../model/replica-access.js';
import { isSameMinorDtr } from '../../model/dtr-version.js';
import { printable } from '../../base/printable.js';
import { LockWatch, lossNoticedWithinMs } from '../../rethink/lock-watch.js';
import { describeHolder, RestoreLock } from '../../rethink/restore-lock.js';
import type { RethinkSession } from '../../rethink/session.js';
import { surveyArchive, type Survey } from './archive-survey.js';
import { formatCount } from '../../base/format.js';
import { reachReplica, type Replica } from '../replica/replica.js';
import { writeCertificates } from './restore-certificates.js';
import { loadArchive } from './restore-load.js';
import { refusal, refuse, type Refusal } from './restore-plan.js';
import { warn, type RestoreRecord } from './restore-record.js';
import { RestoreTargets, type TableChoice } from './restore-targets.js';
import type { JobContext } from '../job-context.js';

export interface RestoreOptions extends TableChoice {
  readonly access: Access;
  readonly dryRun: boolean;
  readonly skipVerify: boolean;
  readonly allowUnproven: boolean;
  readonly allowVersionMismatch: boolean;
  /** Needs UCP. */
  readonly withCertificates: boolean;
  readonly comparesContent: boolean;
  readonly breaksLock: boolean;
  /** After a lock was broken, when the run that had it has noticed; `lossNoticedWithinMs` when left out. */
  readonly otherRunStopsWithinMs?: number;
}

/**
 * Resolves when the replica holds what the archive holds: every write answered, on disk, indexed, compared. Throws a
 * JobError otherwise, or the signal's reason; `record` tells what was planned and what was done, also then. The archive
 * is read twice: first to verify it and to plan by its manifest, then to write it.
 */
export async function restore(
  options: RestoreOptions,
  source: ArchiveSource,
  record: RestoreRecord,
  context: JobContext,
): Promise<void> {
  const survey = await surveySource(source, options, context);
  record.root = survey.root;
  await using replica = await reachReplica(accessFor(options.access, survey), false, context);
  record.replicaVersion = replica.dtrVersion;
  if (replica.id !== undefined) record.replicaId = replica.id;
  await using lock = options.dryRun ? undefined : await takeLock(replica.session, options, context);
  if (lock?.isTakenOver === true) await awaitOtherRun(options, context);
  const tables = await RestoreTargets.find(replica.session, options, record, context);
  if (isVersionAssumed(options.access) && !tables.isEmpty) record.refusals.push(unknownVersion);
  judgeVersion(survey.root, replica, options, record, context);
  await tables.planAll(survey);
  if (options.withCertificates && survey.certificateCount === 0) record.refusals.push(noCertificates);
  refuse(record.refusals);
  if (lock === undefined) return;

  const { allowUnproven, withCertificates, comparesContent } = options;
  const load = { survey, allowUnproven, keepsCertificates: withCertificates, comparesContent };
  await using watch = new LockWatch(lock, replica.session, context.signal);
  const watched = { ...context, signal: watch.signal };
  await using session = replica.session.another(watch.signal);
  const certificates = await loadArchive(source, tables, { session, lock, record, context: watched }, load);
  if (withCertificates) await writeCertificates(replica, certificates, record, watched);
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

/** Without UCP nobody but the archive tells a version. Throws a UsageError where it does not either. */
function accessFor(access: Access, { root }: Survey): Access {
  if (!isVersionAssumed(access)) return access;
  const dtrVersion = dtrVersionOfRoot(root);
  if (dtrVersion !== undefined) return { ...access, dtrVersion };
  throw new UsageError(['--dtr-version (DTR_VERSION) is needed: neither UCP nor the archive tells the version of DTR']);
}

function isVersionAssumed({ ucp, dtrVersion }: Access): boolean {
  return ucp === undefined && dtrVersion === undefined;
}

const unknownVersion: Refusal = {
  what: 'this RethinkDB has tables of DTR, and without UCP their version cannot be detected',
  remedy: 'give the version with --dtr-version (DTR_VERSION)',
};

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
  throw refusal([{ what: `another restore writes into this RethinkDB (${describeHolder(taken)})`, remedy }]);
}

/** The run whose lock was broken may not have been killed: it must have stopped before this one looks at the tables. */
async function awaitOtherRun(
  { otherRunStopsWithinMs: waitMs = lossNoticedWithinMs }: RestoreOptions,
  { log, signal }: JobContext,
): Promise<void> {
  log.info(`Waiting ${waitMs / 1000} s: a restore that still runs notices by then that its lock was taken`);
  await pause(waitMs, signal);
}

const noCertificates: Refusal = {
  what: 'the archive holds no certificate files',
  remedy: 'leave out --certificates',
};

/** DTR's tables change with its minor versions; a replica reads only those of its own. */
function judgeVersion(
  root: string,
  replica: Replica,
  options: RestoreOptions,
  record: RestoreRecord,
  context: JobContext,
): void {
  const version = dtrVersionOfRoot(root);
  if (version !== undefined && isSameMinorDtr(version, replica.dtrVersion)) return;
  const origin = version === undefined ? 'does not tell its DTR version' : `is of DTR ${version}`;
  const what = `the archive (${printable(root)}) ${origin}, the replica runs ${replica.dtrVersion}`;
  if (options.allowVersionMismatch) warn(record, context, what);
  else record.refusals.push({ what, remedy: '--allow-version-mismatch restores it all the same' });
}

function describeApplied({ tables }: RestoreRecord): string {
  const documents = tables.reduce((sum, { applied }) => sum + applied.documents, 0);
  const changes = tables.reduce((sum, { applied }) => sum + applied.changes, 0);
  const counted = `${formatCount(documents)} documents${changes === 0 ? '' : ` and ${formatCount(changes)} changes`}`;
  return `${counted} written into ${tables.length} tables`;
}
