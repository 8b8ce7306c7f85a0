/** What the first bytes of an archive show of it, without keys and without the rest. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Input } from '../../model/archive-stream.js';
import type { Plan } from '../../model/manifest.js';
import { DamagedInputError } from '../damaged-input.js';
import { unwrapInput } from '../envelope/envelope.js';
import { encryptionOf, messageHeadBytes } from '../envelope/packets.js';
import { imageRootOf } from '../images/image-layout.js';
import { layout, limits } from '../layout.js';
import { decodePlan } from '../manifest.js';
import { ByteSource } from '../tar/byte-source.js';
import { TarEntries } from '../tar/tar-entries.js';

export type ArchiveHead =
  /** An OpenPGP message: what is in it cannot be known. */
  | { readonly kind: 'encrypted' }
  /** `root` is the root directory, without a slash. */
  | { readonly kind: 'images'; readonly root: string }
  | { readonly kind: 'metadata'; readonly root: string; readonly plan: Plan }
  /** `reason` is a verb phrase. */
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Reads the first bytes, decompressed. The caller disposes of the input. Throws what the input throws, and a JobError with
 * exit code 2 where this Node cannot decompress it.
 */
export async function readHead(input: Input): Promise<ArchiveHead> {
  const stored = new ByteSource(input.chunks);
  try {
    if (encryptionOf(await stored.peek(messageHeadBytes)) !== undefined) return { kind: 'encrypted' };
    const opened = { ...input, chunks: stored.rest(), [Symbol.asyncDispose]: () => Promise.resolve() };
    const tar = new ByteSource((await unwrapInput(opened, {})).chunks);
    try {
      return await headOf(tar);
    } finally {
      await tar.close();
    }
  } catch (error) {
    if (error instanceof DamagedInputError) return { kind: 'foreign', reason: error.message };
    if (error instanceof JobError && error.exitCode === ExitCode.archiveInvalid)
      return { kind: 'foreign', reason: `has a plan of ours that cannot be read: ${error.message}` };
    throw error;
  } finally {
    await stored.close();
  }
}

async function headOf(source: ByteSource): Promise<ArchiveHead> {
  const faults: string[] = [];
  const tar = new TarEntries(source, { add: (entry, reason) => void faults.push(`${entry ?? 'it'} ${reason}`) });
  const foreign = (reason: string): ArchiveHead => ({ kind: 'foreign', reason });
  const first = await tar.next();
  if (first?.kind !== 'directory') return foreign(faults[0] ?? 'does not begin with a directory');
  const imagesRoot = imageRootOf(first.path);
  if (imagesRoot !== undefined) return { kind: 'images', root: imagesRoot };
  const root = first.path.replace(/\/$/, '');
  const second = await tar.next();
  if (second?.path !== layout.plan(root) || second.kind !== 'file' || second.bytes > limits.manifestBytes)
    return foreign(faults[0] ?? 'does not begin with a plan of ours');
  const body = await tar.body(second);
  if (body === undefined) return foreign('ends in its plan');
  return { kind: 'metadata', root, plan: decodePlan(body) };
}
