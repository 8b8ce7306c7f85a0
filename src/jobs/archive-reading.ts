/** Reading an archive, for every job that does: what it holds is recognised, progress shown, and its bytes checksummed. */
import { createHash, type Hash } from 'node:crypto';
import { withHint } from '../archive/damaged-input.js';
import { openArchive } from '../archive/read/open-archive.js';
import type { ArchiveItem, ArchiveReader } from '../archive/read/reader.js';
import { verifyImages, type ImageObserver, type ImageVerdict } from '../archive/images/image-verifier.js';
import type { Findings } from '../archive/verify/findings.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Input } from '../model/archive-stream.js';
import type { FindingSink } from '../model/finding.js';
import type { JobContext } from './job-context.js';
import { ReadingProgress } from './reading-progress.js';

interface ImagesReading {
  readonly kind: 'images';
  readonly verify: (observer?: ImageObserver) => Promise<ImageVerdict>;
}

export interface MetadataReading {
  readonly kind: 'metadata';
  readonly reader: ArchiveReader;
  /** What the reader yields, once. */
  readonly items: AsyncIterable<ArchiveItem>;
}

/** Opens what an input holds. What is wrong with it goes to `findings` while it is read. */
export async function openReading(
  input: Pick<Input, 'chunks' | 'sizeBytes'>,
  findings: FindingSink,
  context: JobContext,
): Promise<ImagesReading | MetadataReading> {
  const progress = new ReadingProgress(input.sizeBytes, context);
  const archive = await openArchive(input.chunks, findings);
  if (archive.kind === 'images') {
    const { chunks, root } = archive;
    return {
      kind: 'images',
      verify: (observer) => verifyImages(chunks, root, { ...observer, onProgress: (bytes) => progress.advance(bytes) }),
    };
  }
  const { reader } = archive;
  return { kind: 'metadata', reader, items: withProgress(reader, progress) };
}

async function* withProgress(
  reader: ArchiveReader,
  progress: ReadingProgress,
): AsyncGenerator<ArchiveItem, void, undefined> {
  for await (const item of reader.items()) {
    yield item;
    progress.advance(reader.position);
  }
}

interface ChecksummedReading extends MetadataReading {
  /** SHA-256 of all bytes of the tar, in hex; called once, when it has been read to its end. */
  readonly sha256: () => string;
}

/** The same for metadata alone. Throws a JobError with exit code 9 for an archive of images. */
export async function openMetadata(
  input: Input,
  findings: FindingSink,
  context: JobContext,
): Promise<ChecksummedReading> {
  const hash = createHash('sha256');
  const reading = await openReading({ ...input, chunks: hashed(input.chunks, hash) }, findings, context);
  if (reading.kind === 'metadata') return { ...reading, sha256: () => hash.digest('hex') };
  const remedy = 'unpack it with tar -xf FILE -C /var/lib/docker/volumes on the node of the replica';
  throw new JobError(ExitCode.archiveInvalid, `${input.name} holds images, not metadata: ${remedy}`);
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** What is said of a foreign archive, which has no manifest; `acceptedBy` is how the operator accepts it all the same. */
export function unprovenText({ name }: Pick<Input, 'name'>, acceptedBy?: string): string {
  const what = `${name} has no manifest: completeness cannot be verified`;
  return acceptedBy === undefined ? what : `${what} (${acceptedBy})`;
}

/** Throws a JobError with exit code 9 that names the first finding, where there is one. */
export function assertSound(input: Input, { first: [first], count }: Findings): void {
  if (first === undefined) return;
  const what = first.entry === undefined ? first.reason : `${first.entry}: ${first.reason}`;
  const others = count > 1 ? `, and ${count - 1} more findings (verify lists them)` : '';
  throw new JobError(ExitCode.archiveInvalid, withHint(`${input.name} is invalid: ${what}${others}`, input));
}

/** Throws a JobError with exit code 9 where an archive that was read before has other bytes now. */
export function assertUnchanged(input: Input, reading: ChecksummedReading, sha256: string): void {
  if (reading.sha256() !== sha256) throw changedError(input);
}

export function changedError({ name }: Input): JobError {
  return new JobError(ExitCode.archiveInvalid, `${name} has changed since it was verified`);
}
