/** Which blobs earlier image archives hold: read from whole, proved archives only. About 100 bytes of memory a blob. */
import { openFileInput } from '../archive/io/input.js';
import { firstFinding, verifyImages } from '../archive/images/image-verifier.js';
import { recognise } from '../archive/wrapping/recognition.js';
import { unwrapInput } from '../archive/wrapping/wrapping.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { ImageManifest } from '../model/image-manifest.js';
import type { DecryptionKeys } from '../model/wrapping.js';
import { formatCount } from './progress.js';
import { ReadingProgress } from './reading-progress.js';
import type { World } from './world.js';

export interface HeldBlobs {
  /** For the manifest. */
  readonly archives: ImageManifest['since'];
  has(digest: string): boolean;
}

/** Throws a JobError with exit code 2 for what cannot be read, 9 for what is no whole image archive. */
export async function readHeldBlobs(paths: readonly string[], keys: DecryptionKeys, world: World): Promise<HeldBlobs> {
  const blobs = new Set<string>();
  const archives: ImageManifest['since'] = [];
  for (const path of paths) {
    world.log.info(`Verifying ${path}`);
    archives.push(await readArchive(path, keys, blobs, world));
    world.log.info(`Verified ${path}: ${formatCount(blobs.size)} blobs are held`);
  }
  return { archives, has: (digest) => blobs.has(compact(digest)) };
}

async function readArchive(
  path: string,
  keys: DecryptionKeys,
  blobs: Set<string>,
  world: World,
): Promise<ImageManifest['since'][number]> {
  await using input = await unwrapInput(await openFileInput(path, world.signal), keys);
  const { imageRoot, chunks } = await recognise(input.chunks);
  if (imageRoot === undefined) throw new JobError(ExitCode.archiveInvalid, `${path} is no image archive`);
  const progress = new ReadingProgress(input.sizeBytes, world);
  const verdict = await verifyImages(chunks, imageRoot, {
    onProgress: (bytes) => progress.advance(bytes),
    onBlob: (digest) => void blobs.add(compact(digest)),
  });
  const { manifest, checksum } = verdict;
  if (verdict.state !== 'whole' || manifest === undefined || checksum === undefined)
    throw new JobError(ExitCode.archiveInvalid, `${path} is invalid: ${firstFinding(verdict)}`);
  return { checksum, startedAt: manifest.startedAt };
}

/** A character a byte: half the memory of hex. */
function compact(digest: string): string {
  return Buffer.from(digest, 'hex').toString('latin1');
}
