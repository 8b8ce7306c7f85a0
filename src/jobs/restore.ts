/** The restore job, top to bottom: prove the archive, reach the replica, plan, write, compare. */
import type { Input } from '../archive/io/input.js';
import { dtrVersionOfRoot } from '../archive/layout.js';
import type { Access } from '../model/access.js';
import { isSameMinorDtr } from '../model/dtr-version.js';
import { printable } from '../base/printable.js';
import { surveyArchive, type Survey } from './archive-survey.js';
import { formatCount } from './progress.js';
import { reachReplica, type Replica } from './replica.js';
import { writeCertificates } from './restore-certificates.js';
import { loadArchive, refuse } from './restore-load.js';
import type { Refusal } from './restore-plan.js';
import { warn, type RestoreRecord } from './restore-record.js';
import { RestoreTargets, type TableChoice } from './restore-targets.js';
import type { World } from './world.js';

export interface RestoreOptions extends TableChoice {
  readonly access: Access;
  readonly dryRun: boolean;
  readonly skipVerify: boolean;
  readonly allowUnproven: boolean;
  readonly allowVersionMismatch: boolean;
  /** Needs UCP. */
  readonly withCertificates: boolean;
}

/**
 * Resolves when the replica holds what the archive holds: every write answered, on disk, indexed, counted. Throws a
 * JobError otherwise, or the signal's reason; `record` tells what was planned and what was done, also then. A file is
 * read twice: first to prove it and to plan by its manifest. A stream is read once, and proved while it is written.
 */
export async function restore(
  options: RestoreOptions,
  open: () => Promise<Input>,
  record: RestoreRecord,
  world: World,
): Promise<void> {
  await using input = await open();
  if (input.isEncrypted === true && isReadOnce(input, options) && !options.skipVerify) refuse([unprovedStream(input)]);
  const survey = await surveyWhereItCan(input, options, world);
  await using replica = await reachReplica(options.access, false, world);
  record.replicaVersion = replica.dtrVersion;
  if (replica.id !== undefined) record.replicaId = replica.id;
  const tables = await RestoreTargets.find(replica.session, options, record, world);
  const judgeRoot = (root: string): void => judgeVersion(root, replica, options, record, world);
  if (survey === undefined) await tables.refuseFilled();
  else {
    judgeRoot(survey.root);
    await tables.planAll(survey);
    if (options.withCertificates && survey.certificateCount === 0) record.refusals.push(noCertificates);
  }
  refuse(record.refusals);
  if (options.dryRun) return;

  await using again = survey === undefined ? undefined : await open();
  const { allowUnproven, withCertificates } = options;
  const load = { survey, allowUnproven, judgeRoot, keepsCertificates: withCertificates };
  const context = { session: replica.session, record, world };
  const certificates = await loadArchive(again ?? input, tables, context, load);
  if (withCertificates) await writeCertificates(replica, certificates, record, world);
  world.log.info(`Restore complete: ${describeApplied(record)}`);
}

/** A stream that is to be written. */
function isReadOnce({ sizeBytes }: Input, { dryRun }: RestoreOptions): boolean {
  return sizeBytes === undefined && !dryRun;
}

/** Whoever altered it could have chosen what is written before its integrity check comes, at its end. */
function unprovedStream({ name }: Input): Refusal {
  return {
    what: `${name} is encrypted, and such a stream is proved only when all of it is written`,
    remedy: 'name a file, which is proved first, or take the risk with --skip-verify',
  };
}

/** Undefined for a stream that is to be written: it can be read only once. */
async function surveyWhereItCan(input: Input, options: RestoreOptions, world: World): Promise<Survey | undefined> {
  if (isReadOnce(input, options)) return undefined;
  const isProved = !options.skipVerify;
  world.log.info(isProved ? `Verifying ${input.name}` : `Reading ${input.name}: it is proved while it is written`);
  return surveyArchive(input, { isProved, allowUnproven: options.allowUnproven }, world);
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
  world: World,
): void {
  const version = dtrVersionOfRoot(root);
  record.root = root;
  if (version !== undefined && isSameMinorDtr(version, replica.dtrVersion)) return;
  const origin = version === undefined ? 'does not tell its DTR version' : `is of DTR ${version}`;
  const what = `the archive (${printable(root)}) ${origin}, the replica runs ${replica.dtrVersion}`;
  if (options.allowVersionMismatch) warn(record, world, what);
  else record.refusals.push({ what, remedy: '--allow-version-mismatch restores it all the same' });
}

function describeApplied({ tables }: RestoreRecord): string {
  const documents = tables.reduce((sum, { applied }) => sum + applied.documents, 0);
  const changes = tables.reduce((sum, { applied }) => sum + applied.changes, 0);
  const counted = `${formatCount(documents)} documents${changes === 0 ? '' : ` and ${formatCount(changes)} changes`}`;
  return `${counted} written into ${tables.length} tables`;
}
