/** The images job, top to bottom: reach the storage, read what earlier archives hold, stream the rest, prove it, end it. */
import { BlobReferences } from '../../archive/images/blob-references.js';
import { imageRoot, registryDirectory } from '../../archive/images/image-layout.js';
import { ImageArchiveWriter } from '../../archive/images/image-writer.js';
import type { Output } from '../../model/archive-stream.js';
import { abortable } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import { imageFormatVersion, type ImageManifest, type References } from '../../model/image-manifest.js';
import type { DecryptionKeys } from '../../model/envelope.js';
import { readHeldBlobs } from './held-blobs.js';
import type { OutputFacts } from '../../store/output-path.js';
import { formatBytes, formatCount } from '../../base/format.js';
import { describeWrapped } from '../progress.js';
import { reachStorage, type ImageStorage, type StorageAccess } from './image-storage.js';
import { startOfRun, type JobContext } from '../job-context.js';
import { StorageCopy } from './storage-copy.js';

export interface ImagesOptions extends StorageAccess {
  /** Image archives whose blobs are left out. */
  readonly since: readonly string[];
  /** Open those. */
  readonly keys: DecryptionKeys;
  readonly allowChanged: boolean;
  readonly dryRun: boolean;
  readonly tool: ImageManifest['tool'];
}

/** Opens the place the archive goes to; called once the storage is reached, so that a run refused earlier leaves nothing. */
export type OpenImageOutput = (about: OutputFacts) => Promise<Output>;

/**
 * Resolves when the output has taken the last byte and committed it. Throws a JobError or the signal's reason otherwise;
 * what was written then has no manifest and no end blocks. One exception: where files changed or vanished while they
 * were read, or did not fit a tar, or where blobs are missing that the repositories name, the archive is whole and the
 * error, with exit code 8, comes after it.
 */
export async function backUpImages(
  options: ImagesOptions,
  openOutput: OpenImageOutput,
  context: JobContext,
): Promise<void> {
  const startedAt = startOfRun(context);
  await using storage = await reachStorage(options, context);
  const references = new BlobReferences();
  const since = await readHeldBlobs(options, references, context);
  context.log.info(`Plan: ${imageRoot(storage.replicaId)}/_data/ from ${storage.description}`);
  if (options.dryRun) return;
  const about = { version: storage.dtrVersion ?? 'unknown', replica: storage.replicaId, date: startedAt };
  await using output = await openOutput(about);
  const writing = { startedAt, tool: options.tool, since, references };
  const written = abortable(writeArchive(output, storage, writing, context), context.signal);
  const { manifest, references: found, unfitCount } = await written;
  await abortable(output.commit(), context.signal);
  const { files, blobs, changed } = manifest;
  const amount = `${formatCount(files.count)} files, ${formatBytes(files.bytes)}, ${formatCount(blobs.count)} blobs`;
  context.log.info(`Image backup complete: ${amount} written to ${output.name}${describeWrapped(output)}`);
  tellOfBlobs(manifest, found, context);
  const missingCount = found.missing.count;
  const shortOf = [
    ...(changed.count === 0 ? [] : [`${formatCount(changed.count)} files changed or vanished while they were read`]),
    ...(unfitCount === 0 ? [] : [`${formatCount(unfitCount)} were left out`]),
    ...(missingCount === 0 ? [] : [`${formatCount(missingCount)} that the registry needs are missing in it`]),
  ];
  if (shortOf.length === 0 || options.allowChanged) return;
  const what = shortOf.join(', ');
  throw new JobError(ExitCode.output, `the archive is whole, but ${what} (--allow-changed accepts it)`);
}

/** What is wrong in the registry itself. */
function tellOfBlobs(manifest: ImageManifest, { missing, stale, uncompared }: References, { log }: JobContext): void {
  const { blobs, heldBefore, corrupt } = manifest;
  if (corrupt.count > 0) {
    const what = `${formatCount(corrupt.count)} blobs of the registry are not what their names say`;
    log.error(`${what}: the archive holds them as they are, and lists them`);
  }
  for (const { path, why } of missing.first) log.warn(`${printable(path)} ${why}`);
  if (missing.count > 0) {
    const what = `the registry itself lacks ${formatCount(missing.count)} blobs or links that its repositories need`;
    log.error(`${what}: the archive cannot hold them, and lists them`);
  }
  if (stale > 0) {
    const what = `${formatCount(stale)} blobs are not there that only layers' links and earlier tags name`;
    log.info(`${what}: garbage collection leaves such links, and no image needs them`);
  }
  if (uncompared > 0) {
    const what = `Whether ${formatCount(uncompared)} blobs that the repositories name are there cannot be told`;
    log.warn(`${what}: they are stored under other names than their digests, which only the metadata know`);
  } else if (blobs.count + heldBefore.count === 0) log.warn('The registry holds no image');
}

async function writeArchive(
  output: Output,
  storage: ImageStorage,
  about: Pick<ImageManifest, 'tool' | 'since'> & { readonly startedAt: Date; readonly references: BlobReferences },
  context: JobContext,
): Promise<{ readonly manifest: ImageManifest; readonly references: References; readonly unfitCount: number }> {
  const { startedAt, tool, since } = about;
  const writer = new ImageArchiveWriter(output, imageRoot(storage.replicaId), about.references);
  const copy = new StorageCopy({ writer, held: about.references, source: storage.description }, context);
  for await (const item of storage.items()) await abortable(copy.take(item), context.signal);
  const { references, isNothingThere } = writer.references(startedAt);
  if (!copy.hasRegistry)
    throw notMounted(storage, `holds no image (neither blobs nor repositories in ${registryDirectory})`);
  if (isNothingThere) throw notMounted(storage, 'holds not one of the blobs that its repositories name');
  const manifest = await writer.finish((checksums) => ({
    kind: 'images',
    formatVersion: imageFormatVersion,
    tool,
    replicaId: storage.replicaId,
    ...(storage.dtrVersion !== undefined && { dtrVersion: storage.dtrVersion }),
    storage: storage.description,
    startedAt: startedAt.toISOString(),
    finishedAt: context.clock.now().toISOString(),
    ...checksums,
    references,
    ...copy.summary,
    since,
  }));
  return { manifest, references, unfitCount: copy.unfitCount };
}

function notMounted({ description }: ImageStorage, what: string): JobError {
  return new JobError(ExitCode.replica, `${description} ${what}: is all of the registry's storage mounted?`);
}
