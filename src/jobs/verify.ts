/** The verify job: reads an archive to its end and judges it. */
import { decompress } from '../archive/decompression.js';
import type { Input } from '../archive/input.js';
import { ArchiveReader } from '../archive/reader.js';
import { ArchiveVerifier, type Verdict } from '../archive/verifier.js';
import { ReadingProgress } from './reading-progress.js';
import type { World } from './world.js';

/** Throws only when the input cannot be read; whatever is wrong with the archive is in the verdict. */
export async function verify(input: Input, world: World): Promise<Verdict> {
  const verifier = new ArchiveVerifier();
  const reader = new ArchiveReader(decompress(input.chunks), verifier.findings);
  const progress = new ReadingProgress(input.sizeBytes, world);
  for await (const item of reader.items()) {
    verifier.add(item, reader.root);
    progress.advance(reader.position);
  }
  return verifier.verdict(reader.root);
}
