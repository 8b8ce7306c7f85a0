/** Finds out which reader an archive needs. */
import type { FindingSink } from '../../model/finding.js';
import { recognise } from '../envelope/recognition.js';
import { ForeignReader } from './foreign-reader.js';
import { OwnReader } from './own-reader.js';
import type { ArchiveReader } from './reader.js';

type OpenedArchive =
  | { readonly kind: 'images'; readonly root: string; readonly chunks: AsyncIterable<Buffer> }
  | { readonly kind: 'metadata'; readonly reader: ArchiveReader };

/** `tar` is the tar itself, as `unwrapInput` gives it; read its first bytes. The reader adds to `findings`. */
export async function openArchive(tar: AsyncIterable<Buffer>, findings: FindingSink): Promise<OpenedArchive> {
  const recognised = await recognise(tar);
  if (recognised.kind === 'images') return recognised;
  const { hasPlan, chunks } = recognised;
  return { kind: 'metadata', reader: hasPlan ? new OwnReader(chunks, findings) : new ForeignReader(chunks, findings) };
}
