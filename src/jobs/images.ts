/** The images job, top to bottom: reach the storage, read what earlier archives hold, stream the rest, prove it, end it. */
import { isDirectory } from '../archive/images/mounted-storage.js';
import { blobDigest, imageRoot, isUpload } from '../archive/images/image-layout.js';
import { BoundedList } from '../archive/images/image-proof.js';
import { ImageArchiveWriter } from '../archive/images/image-writer.js';
import type { Output } from '../archive/io/output.js';
import type { StorageItem } from '../archive/images/storage-tree.js';
import { abortable } from '../base/deadline.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { printable } from '../base/printable.js';
import { imageFormatVersion, type ImageManifest } from '../model/image-manifest.js';
import type { DecryptionKeys } from '../model/wrapping.js';
import { readHeldBlobs, type HeldBlobs } from './held-blobs.js';
import type { OutputFacts } from './output-name.js';
import { describeWrapped, formatBytes, formatCount } from './progress.js';
import { ReadingProgress } from './reading-progress.js';
import { reachStorage, type ImageStorage, type StorageAccess } from './image-storage.js';
import { startOfRun } from './run-start.js';
import type { World } from './world.js';

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

/** Whether a registry's storage is mounted at this path. */
export async function isStorageMounted(path: string): Promise<boolean> {
  return (await isDirectory(path)) === true;
}

/**
 * Resolves when the output has taken the last byte and committed it. Throws a JobError or the signal's reason otherwise;
 * what was written then has no manifest and no end blocks. One exception: where files changed or vanished while they
 * were read, or did not fit a tar, the archive is whole and the error, with exit code 8, comes after it.
 */
export async function backUpImages(options: ImagesOptions, openOutput: OpenImageOutput, world: World): Promise<void> {
  const startedAt = startOfRun(world);
  await using storage = await reachStorage(options, world);
  const held = await readHeldBlobs(options.since, options.keys, world);
  world.log.info(`Plan: ${imageRoot(storage.replicaId)}/_data/ from ${storage.description}`);
  if (options.dryRun) return;
  const about = { version: storage.dtrVersion ?? 'unknown', replica: storage.replicaId, date: startedAt };
  await using output = await openOutput(about);
  const writing = writeArchive(output, storage, held, { startedAt, tool: options.tool }, world);
  const { manifest, unfitCount } = await abortable(writing, world.signal);
  await abortable(output.commit(), world.signal);
  const { files, blobs, corrupt, changed } = manifest;
  const amount = `${formatCount(files.count)} files, ${formatBytes(files.bytes)}, ${formatCount(blobs.count)} blobs`;
  world.log.info(`Image backup complete: ${amount} written to ${output.name}${describeWrapped(output)}`);
  if (corrupt.count > 0) {
    const what = `${formatCount(corrupt.count)} blobs of the registry are not what their names say`;
    world.log.error(`${what}: the archive holds them as they are, and lists them`);
  }
  const shortOf = [
    ...(changed.count === 0 ? [] : [`${formatCount(changed.count)} files changed or vanished while they were read`]),
    ...(unfitCount === 0 ? [] : [`${formatCount(unfitCount)} were left out`]),
  ];
  if (shortOf.length === 0 || options.allowChanged) return;
  const what = shortOf.join(', ');
  throw new JobError(ExitCode.output, `the archive is whole, but ${what} (--allow-changed accepts it)`);
}

async function writeArchive(
  output: Output,
  storage: ImageStorage,
  held: HeldBlobs,
  about: { readonly startedAt: Date; readonly tool: ImageManifest['tool'] },
  world: World,
): Promise<{ readonly manifest: ImageManifest; readonly unfitCount: number }> {
  const writer = new ImageArchiveWriter(output, imageRoot(storage.replicaId));
  const copy = new StorageCopy(writer, held, world);
  for await (const item of storage.items()) await abortable(copy.take(item), world.signal);
  if (copy.isEmpty) throw new JobError(ExitCode.replica, `${storage.description} holds nothing`);
  const manifest = await writer.finish((proof) => ({
    kind: 'images',
    formatVersion: imageFormatVersion,
    tool: about.tool,
    replicaId: storage.replicaId,
    ...(storage.dtrVersion !== undefined && { dtrVersion: storage.dtrVersion }),
    storage: storage.description,
    startedAt: about.startedAt.toISOString(),
    finishedAt: world.clock.now().toISOString(),
    ...proof,
    ...copy.summary,
    since: [...held.archives],
  }));
  return { manifest, unfitCount: copy.unfitCount };
}

/** What is taken, what is not, and what is said of either. */
class StorageCopy {
  readonly #writer: ImageArchiveWriter;
  readonly #held: HeldBlobs;
  readonly #world: World;
  readonly #progress: ReadingProgress;
  readonly #changed = new BoundedList();
  readonly #leftOut = new BoundedList();
  readonly #heldBefore = { count: 0, bytes: 0 };
  #bytes = 0;
  #corruptCount = 0;
  isEmpty = true;
  /** Of what was left out, all that has content. */
  unfitCount = 0;

  constructor(writer: ImageArchiveWriter, held: HeldBlobs, world: World) {
    this.#writer = writer;
    this.#held = held;
    this.#world = world;
    this.#progress = new ReadingProgress(undefined, world);
  }

  get summary(): Pick<ImageManifest, 'changed' | 'leftOut' | 'heldBefore'> {
    return { changed: this.#changed.listed, leftOut: this.#leftOut.listed, heldBefore: this.#heldBefore };
  }

  async take(item: StorageItem): Promise<void> {
    if (item.kind === 'vanished') this.#change(item.path, 'vanished before it was read');
    else if (item.kind === 'leftOut') {
      this.#leftOut.add(item.path, item.why);
      if (item.hasContent) this.unfitCount += 1;
      this.#world.log.warn(`Left out: ${printable(item.path)} (${item.why})`);
    } else await this.#entry(item);
  }

  async #entry({ entry, body, segments, changes }: Extract<StorageItem, { kind: 'entry' }>): Promise<void> {
    this.isEmpty = false;
    const digest = entry.type === 'file' ? blobDigest(entry.path) : undefined;
    if (digest !== undefined && this.#held.has(digest)) {
      this.#heldBefore.count += 1;
      this.#heldBefore.bytes += entry.bytes;
      return;
    }
    await this.#writer.add(entry, this.#counted(body), await segments?.());
    const isCorrupt = this.#writer.corruptCount > this.#corruptCount;
    this.#corruptCount = this.#writer.corruptCount;
    const change = changes();
    if (change !== undefined) this.#change(entry.path, change);
    else if (isCorrupt) this.#world.log.warn(`Corrupt in the registry itself: ${printable(entry.path)}`);
  }

  /** What belongs to a push in progress comes and goes all the time, and is no image yet. */
  #change(path: string, what: string): void {
    const { log } = this.#world;
    if (isUpload(path)) {
      log.debug(`${printable(path)} ${what}`);
      return;
    }
    this.#changed.add(path, what);
    log.warn(`${printable(path)} ${what}`);
  }

  async *#counted(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of body) {
      this.#bytes += piece.length;
      this.#progress.advance(this.#bytes);
      yield piece;
    }
  }
}
