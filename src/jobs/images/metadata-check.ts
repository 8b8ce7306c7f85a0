/** Checks an image archive against the metadata archive of the same backup: whether the two halves fit. */
import { firstFinding, type ImageVerdict } from '../../archive/images/image-verifier.js';
import { ArchiveVerifier } from '../../archive/verify/verifier.js';
import { Findings } from '../../archive/verify/findings.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { formatCount } from '../../base/format.js';
import type { Input } from '../../model/archive-stream.js';
import type { Plan } from '../../model/manifest.js';
import { registryTables } from '../../model/registry-documents.js';
import { dtrDatabaseOf } from '../../model/dtr-tables.js';
import { assertSound, openReading, unprovenText } from '../archive-reading.js';
import type { JobContext } from '../job-context.js';
import { FitCheck, type MetadataFit } from './metadata-fit.js';
import { MetadataIndex } from './metadata-index.js';

export interface BackupHalves {
  readonly images: Input;
  readonly metadata: Input;
  /** Open the image archives that the other was made `--since`, in the order in which they are unpacked. */
  readonly since: readonly (() => Promise<Input>)[];
  /** Whether metadata without a manifest, whose completeness cannot be verified, is accepted. */
  readonly allowUnproven: boolean;
}

export interface BackupVerdict extends ImageVerdict {
  /** Absent where the image archive is invalid. */
  readonly metadata?: MetadataFit;
}

/**
 * Reads the metadata, then the images, each once and to its end. Throws a JobError with exit code 9 for metadata, or an
 * archive of `since`, that is not whole or not what it should be; what is wrong with the images is in the verdict.
 */
export async function checkBackup(halves: BackupHalves, context: JobContext): Promise<BackupVerdict> {
  const { images, metadata, since } = halves;
  const { index, tables, plan } = await readMetadata(halves, context);
  const check = new FitCheck(index);
  for (const open of since) {
    await using earlier = await open();
    const verdict = await readImages(earlier, check, context);
    if (verdict.state === 'whole') continue;
    throw new JobError(ExitCode.archiveInvalid, `${earlier.name} is invalid: ${firstFinding(verdict)}`);
  }
  const verdict = await readImages(images, check, context);
  if (verdict.state !== 'whole') return verdict;
  const lacking = [...registryTables.keys()].filter((name) => !tables.has(name));
  const isNeeded = (name: string): boolean => name !== 'blobs' || check.hasBlobById;
  assertTables(metadata, lacking.filter(isNeeded));
  warnOfOtherHalf(verdict, { plan, sinceCount: since.length }, context);
  return { ...verdict, metadata: check.result() };
}

interface ReadMetadata {
  readonly index: MetadataIndex;
  /** The names of those tables that are there. */
  readonly tables: ReadonlySet<string>;
  readonly plan: Plan | undefined;
}

async function readMetadata({ metadata, allowUnproven }: BackupHalves, context: JobContext): Promise<ReadMetadata> {
  context.log.info(`Reading ${metadata.name}`);
  const verifier = new ArchiveVerifier();
  const reading = await openReading(metadata, verifier.findings, context);
  if (reading.kind === 'images') throw wrongKind(metadata, 'images, not metadata: name the image archive first');
  const { reader, items } = reading;
  const unreadable = new Findings();
  const index = new MetadataIndex(unreadable);
  const tables = new Set<string>();
  let names: ReadonlyMap<string, string> | undefined;
  for await (const item of items) {
    verifier.add(item, reader);
    if (item.kind === 'plan') names = namesOf(item.plan);
    else if (item.kind === 'table' || item.kind === 'documents' || item.kind === 'changes') {
      const name = names === undefined ? item.directory : names.get(item.directory);
      if (name !== undefined) tables.add(name);
      if (name !== undefined && item.kind !== 'table') index.add(name, item);
    }
  }
  const { state, plan } = verifier.verdict(reader);
  assertSound(metadata, verifier.findings);
  if (state === 'unproven') acceptUnproven(metadata, allowUnproven, context);
  const [first] = unreadable.first;
  if (first === undefined) return { index, tables, plan };
  const others = unreadable.count > 1 ? `, and ${unreadable.count - 1} more` : '';
  const message = `${metadata.name} cannot be compared: ${first.entry ?? ''} ${first.reason}${others}`;
  throw new JobError(ExitCode.archiveInvalid, message);
}

/** The registry's tables, by directory: another database may have one of the same name. */
function namesOf({ tables }: Plan): ReadonlyMap<string, string> {
  const own = tables.filter(({ database, name }) => database === dtrDatabaseOf(name));
  return new Map(own.map(({ directory, name }) => [directory, name]));
}

async function readImages(input: Input, check: FitCheck, context: JobContext): Promise<ImageVerdict> {
  context.log.info(`Reading ${input.name}`);
  const reading = await openReading(input, new Findings(), context);
  if (reading.kind === 'images') return reading.verify({ onBlob: (blob) => check.add(blob) });
  throw wrongKind(input, 'no images: --metadata is for checking an image archive');
}

function wrongKind({ name }: Input, what: string): JobError {
  return new JobError(ExitCode.archiveInvalid, `${name} holds ${what}`);
}

function acceptUnproven(input: Input, isAccepted: boolean, { log }: JobContext): void {
  if (!isAccepted) throw new JobError(ExitCode.archiveInvalid, unprovenText(input, '--allow-unproven accepts it'));
  log.warn(unprovenText(input));
}

function assertTables({ name }: Input, lacking: readonly string[]): void {
  if (lacking.length === 0) return;
  const tables = lacking.map((table) => `dtr2.${table}`).join(', ');
  const message = `${name} cannot be compared: it does not hold ${tables}, which name the blobs`;
  throw new JobError(ExitCode.archiveInvalid, message);
}

/** Says what may explain that the halves do not fit. */
function warnOfOtherHalf(
  { manifest }: ImageVerdict,
  { plan, sinceCount }: { readonly plan: Plan | undefined; readonly sinceCount: number },
  { log }: JobContext,
): void {
  const missing = (manifest?.since.length ?? 0) - sinceCount;
  if (missing > 0) {
    const what = `The image archive was made --since ${formatCount(missing)} that are not given`;
    log.warn(`${what}: what those hold counts as missing (verify … --since ARCHIVE)`);
  }
  if (manifest === undefined || plan === undefined) return;
  if (plan.replicaId !== undefined && plan.replicaId !== manifest.replicaId)
    log.warn(`The images are of replica ${manifest.replicaId}, the metadata is of ${plan.replicaId}`);
  if (Date.parse(plan.startedAt) > Date.parse(manifest.startedAt)) {
    const what = 'The metadata was backed up after the images: what was pushed in between counts as missing';
    log.info(`${what} (images --since adds it)`);
  }
}
