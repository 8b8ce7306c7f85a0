/** Which blobs earlier image archives hold: read from whole, proved archives only. */
import { openFileInput } from '../../store/input.js';
import type { BlobReferences } from '../../archive/images/blob-references.js';
import { firstFinding, verifyImages } from '../../archive/images/image-verifier.js';
import { recognise } from '../../archive/envelope/recognition.js';
import { unwrapInput } from '../../archive/envelope/envelope.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { ImageManifest } from '../../model/image-manifest.js';
import type { DecryptionKeys } from '../../model/envelope.js';
import { formatCount } from '../../base/format.js';
import { ReadingProgress } from '../reading-progress.js';
import type { JobContext } from '../job-context.js';

/**
 * Tells `references` which blobs are held, and which of them need others; gives what the manifest says of the archives.
 * Throws a JobError with exit code 2 for what cannot be read, 9 for what is no whole image archive.
 */
export async function readHeldBlobs(
  { since: paths, keys }: { readonly since: readonly string[]; readonly keys: DecryptionKeys },
  references: BlobReferences,
  context: JobContext,
): Promise<ImageManifest['since']> {
  const archives: ImageManifest['since'] = [];
  for (const path of paths) {
    context.log.info(`Verifying ${path}`);
    archives.push(await readArchive(path, keys, references, context));
    context.log.info(`Verified ${path}: ${formatCount(references.heldCount)} blobs are held`);
  }
  return archives;
}

async function readArchive(
  path: string,
  keys: DecryptionKeys,
  references: BlobReferences,
  context: JobContext,
): Promise<ImageManifest['since'][number]> {
  await using input = await unwrapInput(await openFileInput(path, context.signal), keys);
  const recognised = await recognise(input.chunks);
  if (recognised.kind !== 'images') throw new JobError(ExitCode.archiveInvalid, `${path} is no image archive`);
  const progress = new ReadingProgress(input.sizeBytes, context);
  const verdict = await verifyImages(recognised.chunks, recognised.root, {
    onProgress: (bytes) => progress.advance(bytes),
    onBlob: (digest) => references.addHeld(digest),
    onManifest: (digest, named) => references.addManifest(digest, named),
  });
  const { manifest, checksum } = verdict;
  if (verdict.state !== 'whole' || manifest === undefined || checksum === undefined)
    throw new JobError(ExitCode.archiveInvalid, `${path} is invalid: ${firstFinding(verdict)}`);
  return { checksum, startedAt: manifest.startedAt };
}
