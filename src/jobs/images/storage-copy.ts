/** Copies a registry's storage into an archive; counts, lists and logs what is left out or changed. */
import { BoundedList } from '../../archive/images/blob-references.js';
import type { HeldBlobs } from '../../archive/images/held-blobs.js';
import type { ImageEntry } from '../../archive/images/image-entry.js';
import { blobName, isRegistryDirectory, isUpload, registryDirectory } from '../../archive/images/image-layout.js';
import type { ImageArchiveWriter } from '../../archive/images/image-writer.js';
import type { StorageItem } from '../../archive/images/storage-tree.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import type { ImageManifest } from '../../model/image-manifest.js';
import { ReadingProgress } from '../reading-progress.js';
import type { JobContext } from '../job-context.js';
import { readTwice } from './twice-read.js';

interface CopyContext {
  readonly writer: ImageArchiveWriter;
  /** Of earlier archives. */
  readonly held: HeldBlobs;
  /** The storage, in words. */
  readonly source: string;
}

type EntryItem = Extract<StorageItem, { kind: 'entry' }>;

export class StorageCopy {
  readonly #writer: ImageArchiveWriter;
  readonly #held: HeldBlobs;
  readonly #source: string;
  readonly #context: JobContext;
  readonly #progress: ReadingProgress;
  readonly #changed = new BoundedList();
  readonly #leftOut = new BoundedList();
  readonly #heldBefore = { count: 0, bytes: 0 };
  #bytes = 0;
  #corruptCount = 0;
  /** Whether the directory of blobs or that of repositories was there. */
  hasRegistry = false;
  /** How much with content was left out. */
  unfitCount = 0;

  constructor({ writer, held, source }: CopyContext, context: JobContext) {
    this.#writer = writer;
    this.#held = held;
    this.#source = source;
    this.#context = context;
    this.#progress = new ReadingProgress(undefined, context);
  }

  get summary(): Pick<ImageManifest, 'changed' | 'leftOut' | 'heldBefore'> {
    return { changed: this.#changed.listed, leftOut: this.#leftOut.listed, heldBefore: this.#heldBefore };
  }

  /** Throws a JobError with exit code 5 where the images are behind a link, and what reading or writing throws. */
  async take(item: StorageItem): Promise<void> {
    if (item.kind === 'vanished') this.#change(item.path, 'vanished before it was read');
    else if (item.kind === 'leftOut') {
      this.#assertDirectory(item.path, undefined);
      this.#leaveOut(item.path, item.why, item.hasContent);
    } else await this.#entry(item);
  }

  async #entry(item: EntryItem): Promise<void> {
    const { entry, hasOtherNames } = item;
    this.#assertDirectory(entry.path, entry);
    const name = entry.type === 'file' ? blobName(entry.path) : undefined;
    // The file's other names become hard links to it.
    if (name === undefined || hasOtherNames || !this.#held.holds(name, entry.bytes)) return this.#write(item);
    if (name.kind === 'id') {
      using read = await readTwice(item, this.#context.temporaryDirectory);
      if (!this.#held.holdsContent(name, read.sha256)) {
        await this.#write({ ...item, body: read.body });
        return;
      }
    }
    this.#heldBefore.count += 1;
    this.#heldBefore.bytes += entry.bytes;
  }

  async #write({ entry, body, changes }: EntryItem): Promise<void> {
    const why = await this.#writer.add(entry, this.#counted(body));
    if (why !== undefined) {
      this.#leaveOut(entry.path, this.#whyHeld(entry) ?? why, true);
      return;
    }
    const isCorrupt = this.#writer.corruptCount > this.#corruptCount;
    this.#corruptCount = this.#writer.corruptCount;
    const change = changes();
    if (change !== undefined) this.#change(entry.path, change);
    else if (isCorrupt) this.#context.log.warn(`Corrupt in the registry itself: ${printable(entry.path)}`);
  }

  /** An engine's tar does not say that a blob has several names: it was left out, and this is another of them. */
  #whyHeld({ type, target }: ImageEntry): string | undefined {
    const name = type === 'link' ? blobName(target) : undefined;
    if (name === undefined || !this.#held.hasName(name)) return undefined;
    const what = `is a hard link to a blob that an earlier archive holds (${printable(target)})`;
    return `${what}: mount the storage (--registry-path), or leave out --since`;
  }

  /** Below a link, nothing is read: the archive would hold no image. */
  #assertDirectory(path: string, entry: ImageEntry | undefined): void {
    if (!isRegistryDirectory(path)) return;
    if (entry?.type === 'directory') {
      this.hasRegistry ||= path.startsWith(`${registryDirectory}/`);
      return;
    }
    const what = entry?.type === 'symlink' ? `a symbolic link to ${printable(entry.target)}` : 'not a directory';
    const remedy = 'mount its target in its place (docker run --volume), or move the images back';
    const message = `${path} of ${this.#source} is ${what}: an archive would hold no image; ${remedy}`;
    throw new JobError(ExitCode.replica, message);
  }

  #leaveOut(path: string, why: string, hasContent: boolean): void {
    this.#leftOut.add(path, why);
    if (hasContent) this.unfitCount += 1;
    this.#context.log.warn(`Left out: ${printable(path)} (${why})`);
  }

  /** Files of a push in progress come and go all the time, and are not part of an image yet. */
  #change(path: string, what: string): void {
    const { log } = this.#context;
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
