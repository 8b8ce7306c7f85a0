/** The images job: opens the storage, reads what earlier archives hold, writes the archive, reports what it lacks. */
import { unwrapInput } from '../../archive/envelope/envelope.js';
import { imageFacts } from '../../archive/facts.js';
import { BlobReferences } from '../../archive/images/blob-references.js';
import { HeldBlobs } from '../../archive/images/held-blobs.js';
import { imageRoot, registryDirectory } from '../../archive/images/image-layout.js';
import { firstFinding } from '../../archive/images/image-verifier.js';
import { ImageArchiveWriter } from '../../archive/images/image-writer.js';
import { Findings } from '../../archive/verify/findings.js';
import type { Destination, Input, Output } from '../../model/archive-stream.js';
import { abortable } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import { imageFormatVersion, type ImageManifest, type References } from '../../model/image-manifest.js';
import type { DecryptionKeys } from '../../model/envelope.js';
import type { OutputFacts } from '../../store/output-path.js';
import { formatBytes, formatCount } from '../../base/format.js';
import { describeWrapped } from '../progress.js';
import { openReading } from '../archive-reading.js';
import { openStorage, type ImageStorage, type StorageOptions } from './image-storage.js';
import { startOfRun, type JobContext } from '../job-context.js';
import { StorageCopy } from './storage-copy.js';

export interface ImagesOptions extends StorageOptions {
  /** Image archives whose blobs are left out. */
  readonly since: readonly (() => Promise<Input>)[];
  /** For those. */
  readonly keys: DecryptionKeys;
  readonly allowChanged: boolean;
  readonly dryRun: boolean;
  readonly tool: ImageManifest['tool'];
}

export type ImageDestination = Destination<OutputFacts>;

/**
 * Resolves when the output has committed the last byte. Throws a JobError or the signal's reason; the archive has neither
 * manifest nor end blocks then. Exception: exit code 8 for a complete archive of a storage in which files changed,
 * vanished or do not fit a tar, or blobs are missing that the repositories name.
 */
export async function backUpImages(
  options: ImagesOptions,
  destination: ImageDestination,
  context: JobContext,
): Promise<void> {
  const startedAt = startOfRun(context);
  await using storage = await openStorage(options, context);
  const references = new BlobReferences();
  const since: ImageManifest['since'] = [];
  const held = new HeldBlobs(references);
  const reading = { keys: options.keys, references, held };
  for (const open of options.since) since.push(await readHeldBlobs(open, reading, context));
  context.log.info(`Plan: ${imageRoot(storage.replicaId)}/_data/ from ${storage.description}`);
  if (options.dryRun) return;
  const about = { version: storage.dtrVersion ?? 'unknown', replica: storage.replicaId, date: startedAt };
  await using output = await destination.open(about);
  const writing = { output, startedAt, tool: options.tool, since, references, held };
  const { manifest, unfitCount } = await abortable(writeArchive(storage, writing, context), context.signal);
  await abortable(output.commit(), context.signal);
  const { files, blobs, changed } = manifest;
  const amount = `${formatCount(files.count)} files, ${formatBytes(files.bytes)}, ${formatCount(blobs.count)} blobs`;
  context.log.info(`Image backup complete: ${amount} written to ${output.name}${describeWrapped(output)}`);
  reportBlobs(manifest, context);
  const missingCount = manifest.references?.missing.count ?? 0;
  const shortOf = [
    ...(changed.count === 0 ? [] : [`${formatCount(changed.count)} files changed or vanished while they were read`]),
    ...(unfitCount === 0 ? [] : [`${formatCount(unfitCount)} were left out`]),
    ...(missingCount === 0 ? [] : [`${formatCount(missingCount)} that the registry needs are missing in it`]),
  ];
  await abortable(destination.committed(imageFacts(manifest, shortOf.length > 0)), context.signal);
  if (shortOf.length === 0 || options.allowChanged) return;
  const what = shortOf.join(', ');
  throw new JobError(ExitCode.output, `the archive is whole, but ${what} (--allow-changed accepts it)`);
}

interface EarlierReading {
  readonly keys: DecryptionKeys;
  /** Learns what the manifests there need. */
  readonly references: BlobReferences;
  readonly held: HeldBlobs;
}

/**
 * Adds the blobs of an earlier archive to `references`, and what they need. Throws a JobError with exit code 2 for what
 * cannot be read, 9 for what is not a complete image archive.
 */
async function readHeldBlobs(
  open: () => Promise<Input>,
  { keys, references, held }: EarlierReading,
  context: JobContext,
): Promise<ImageManifest['since'][number]> {
  await using input = await unwrapInput(await open(), keys);
  const { name } = input;
  context.log.info(`Verifying ${name}`);
  const earlier = await openReading(input, new Findings(), context);
  if (earlier.kind !== 'images') throw new JobError(ExitCode.archiveInvalid, `${name} is not an image archive`);
  const verdict = await earlier.verify({
    onBlob: (blob) => held.add(blob),
    onManifest: (digest, named) => references.addManifest(digest, named),
  });
  const { manifest, checksum } = verdict;
  if (verdict.state !== 'whole' || manifest === undefined || checksum === undefined)
    throw new JobError(ExitCode.archiveInvalid, `${name} is invalid: ${firstFinding(verdict)}`);
  context.log.info(`Verified ${name}: ${formatCount(held.count)} blobs are held`);
  return { checksum, startedAt: manifest.startedAt };
}

interface Writing extends Pick<ImageManifest, 'tool' | 'since'> {
  readonly output: Output;
  readonly startedAt: Date;
  readonly references: BlobReferences;
  readonly held: HeldBlobs;
}

async function writeArchive(
  storage: ImageStorage,
  { output, startedAt, tool, since, references: named, held }: Writing,
  context: JobContext,
): Promise<{ readonly manifest: ImageManifest; readonly unfitCount: number }> {
  const { replicaId, dtrVersion, description } = storage;
  const writer = new ImageArchiveWriter(output, imageRoot(replicaId), named);
  const copy = new StorageCopy({ writer, held, source: description }, context);
  for await (const item of storage.items()) await abortable(copy.take(item), context.signal);
  const { references, isNothingThere } = writer.references(startedAt);
  if (!copy.hasRegistry)
    throw notMounted(description, `holds no image (neither blobs nor repositories in ${registryDirectory})`);
  if (isNothingThere) throw notMounted(description, 'holds none of the blobs that its repositories name');
  const manifest = await writer.finish((checksums) => ({
    kind: 'images',
    formatVersion: imageFormatVersion,
    tool,
    replicaId,
    ...(dtrVersion !== undefined && { dtrVersion }),
    storage: description,
    startedAt: startedAt.toISOString(),
    finishedAt: context.clock.now().toISOString(),
    ...checksums,
    references,
    ...copy.summary,
    since,
  }));
  return { manifest, unfitCount: copy.unfitCount };
}

function notMounted(description: string, what: string): JobError {
  return new JobError(ExitCode.replica, `${description} ${what}: is all of the registry's storage mounted?`);
}

const noReferences: References = { missing: { count: 0, first: [] }, stale: 0, uncompared: 0 };

/** Logs what is wrong in the registry itself. */
function reportBlobs(manifest: ImageManifest, { log }: JobContext): void {
  const { blobs, blobsById, heldBefore, corrupt, references } = manifest;
  const { missing, stale, uncompared } = references ?? noReferences;
  if (blobsById !== undefined) {
    const what = `${formatCount(blobsById.count)} of the blobs are stored by id`;
    log.info(`${what}: only the metadata has their digests, and verify --metadata compares them`);
  }
  if (corrupt.count > 0) {
    const what = `${formatCount(corrupt.count)} blobs of the registry do not match their names`;
    log.error(`${what}: the archive holds them as they are, and lists them`);
  }
  for (const { path, why } of missing.first) log.warn(`${printable(path)} ${why}`);
  if (missing.count > 0) {
    const what = `the registry itself lacks ${formatCount(missing.count)} blobs or links that its repositories need`;
    log.error(`${what}: the archive cannot hold them, and lists them`);
  }
  if (stale > 0) {
    const what = `${formatCount(stale)} blobs that only layer links and earlier tags name are not there`;
    log.info(`${what}: garbage collection leaves such links, and no image needs them`);
  }
  if (uncompared > 0) {
    const what = `Cannot tell whether ${formatCount(uncompared)} blobs that the repositories name are there`;
    log.warn(`${what}: they are not stored by their digests, and only the metadata maps one to the other`);
  } else if (blobs.count + heldBefore.count === 0) log.warn('The registry holds no image');
}
