/** The verify job: reads an archive to its end and judges it. */
import { verifyImages, type ImageVerdict } from '../archive/images/image-verifier.js';
import type { Input } from '../model/archive-stream.js';
import { openFileInput } from '../store/input.js';
import { ArchiveReader } from '../archive/read/reader.js';
import { recognise } from '../archive/envelope/recognition.js';
import { ArchiveVerifier, type Verdict } from '../archive/verify/verifier.js';
import { unwrapInput } from '../archive/envelope/envelope.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { DecryptionKeys } from '../model/envelope.js';
import { formatBytes, formatCount } from '../base/format.js';
import { ReadingProgress } from './reading-progress.js';
import type { JobContext } from './job-context.js';

/** Throws only when the input cannot be read; whatever is wrong with the archive is in the verdict. */
export async function verify(input: Input, context: JobContext): Promise<Verdict | ImageVerdict> {
  const progress = new ReadingProgress(input.sizeBytes, context);
  const { imageRoot, chunks } = await recognise(input.chunks);
  if (imageRoot !== undefined) {
    return verifyImages(chunks, imageRoot, { onProgress: (bytes) => progress.advance(bytes) });
  }
  const verifier = new ArchiveVerifier();
  const reader = new ArchiveReader(chunks, verifier.findings);
  for await (const item of reader.items()) {
    verifier.add(item, reader.root);
    progress.advance(reader.position);
  }
  return verifier.verdict(reader.root);
}

/**
 * Reads a file that has just been written back to its end. Throws a JobError with exit code 9, or what reading throws,
 * unless it is a whole archive.
 */
export async function verifyFile(path: string, keys: DecryptionKeys, context: JobContext): Promise<void> {
  context.log.info(`Verifying ${path}`);
  await using input = await unwrapInput(await openFileInput(path, context.signal), keys);
  const verdict = await verify(input, context);
  const { state, findings } = verdict;
  if (state === 'whole') {
    context.log.info(`Verified ${path}: ${amountOf(verdict)}`);
    return;
  }
  const [first] = findings;
  const finding = first === undefined ? 'no manifest' : `${first.entry ?? 'the archive'}: ${first.reason}`;
  throw new JobError(ExitCode.archiveInvalid, `${path} is not what was written: ${finding}`);
}

function amountOf(verdict: Verdict | ImageVerdict): string {
  if (verdict.kind === 'metadata') return `${formatCount(verdict.documentCount)} documents`;
  return `${formatCount(verdict.files.count)} files, ${formatBytes(verdict.files.bytes)}`;
}
