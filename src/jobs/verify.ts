/** The verify job: reads an archive to its end and judges it. */
import type { ImageVerdict } from '../archive/images/image-verifier.js';
import { unwrapInput } from '../archive/envelope/envelope.js';
import { ArchiveVerifier, type Verdict } from '../archive/verify/verifier.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { formatBytes, formatCount } from '../base/format.js';
import type { Input } from '../model/archive-stream.js';
import type { DecryptionKeys } from '../model/envelope.js';
import { openReading } from './archive-reading.js';
import type { JobContext } from './job-context.js';

/** Throws only when the input cannot be read; whatever is wrong with the archive is in the verdict. */
export async function verify(input: Input, context: JobContext): Promise<Verdict | ImageVerdict> {
  const verifier = new ArchiveVerifier();
  const reading = await openReading(input, verifier.findings, context);
  if (reading.kind === 'images') return reading.verify();
  for await (const item of reading.items) verifier.add(item, reading.reader);
  return verifier.verdict(reading.reader);
}

/**
 * Reads an archive that has just been written back to its end. Throws a JobError with exit code 9, or what reading throws,
 * unless it is a whole archive.
 */
export async function verifyWritten(
  open: () => Promise<Input>,
  keys: DecryptionKeys,
  context: JobContext,
): Promise<void> {
  await using input = await unwrapInput(await open(), keys);
  const { name } = input;
  context.log.info(`Verifying ${name}`);
  const verdict = await verify(input, context);
  const { state, findings } = verdict;
  if (state === 'whole') {
    context.log.info(`Verified ${name}: ${amountOf(verdict)}`);
    return;
  }
  const [first] = findings;
  const finding = first === undefined ? 'no manifest' : `${first.entry ?? 'the archive'}: ${first.reason}`;
  throw new JobError(ExitCode.archiveInvalid, `${name} is not what was written: ${finding}`);
}

function amountOf(verdict: Verdict | ImageVerdict): string {
  if (verdict.kind === 'metadata') return `${formatCount(verdict.documentCount)} documents`;
  return `${formatCount(verdict.files.count)} files, ${formatBytes(verdict.files.bytes)}`;
}
