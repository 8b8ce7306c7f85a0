import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { BlobReferences } from '#src/archive/images/blob-references.js';
import type { ImageEntry } from '#src/archive/images/image-entry.js';
import { blobPath } from '#src/archive/images/image-layout.js';
import { ImageArchiveWriter } from '#src/archive/images/image-writer.js';
import { StorageCopy } from '#src/jobs/images/storage-copy.js';
import { silentContext } from '../../../support/archive/sample.js';
import { collectOutput } from '../../../support/collected-output.js';
import { sampleImageRoot } from '../../../support/image-archive.js';

const digest = 'ab'.repeat(32);

/** What is left out of these entries, which an engine gives where an earlier archive holds the blob `digest`. */
async function leftOutOf(entries: readonly (Pick<ImageEntry, 'type' | 'path'> & Partial<ImageEntry>)[]) {
  const held = new BlobReferences();
  held.addHeld(digest);
  const writer = new ImageArchiveWriter(collectOutput(), sampleImageRoot, held);
  const copy = new StorageCopy({ writer, held, source: 'a test' }, silentContext);
  const rest = { mode: 0o755, uid: 0, gid: 0, mtime: '0', bytes: 0, target: '', attributes: [] };
  for (const given of entries) {
    const body = Readable.from([]) as AsyncIterable<Buffer>;
    const entry = { ...rest, ...given };
    await copy.take({ kind: 'entry', entry, body, hasOtherNames: false, changes: () => undefined });
  }
  return { leftOut: copy.summary.leftOut, heldCount: copy.summary.heldBefore.count, unfitCount: copy.unfitCount };
}

describe('a hard link', () => {
  test('to a blob that an earlier archive holds is left out, with the remedy', async () => {
    const why = `is a hard link to a blob that an earlier archive holds (${blobPath(digest)}): mount the storage (--registry-path), or leave out --since`;
    expect(
      await leftOutOf([
        { type: 'directory', path: '' },
        { type: 'file', path: blobPath(digest) },
        { type: 'link', path: 'twin', target: blobPath(digest) },
      ]),
    ).toEqual({ leftOut: { count: 1, first: [{ path: 'twin', why }] }, heldCount: 1, unfitCount: 1 });
  });

  test('to anything else that is not there is left out, as what it is', async () => {
    const why = 'is a hard link to something that does not precede it';
    for (const target of ['nowhere', blobPath('cd'.repeat(32))]) {
      const { leftOut } = await leftOutOf([
        { type: 'directory', path: '' },
        { type: 'link', path: 'twin', target },
      ]);
      expect(leftOut).toEqual({ count: 1, first: [{ path: 'twin', why }] });
    }
  });
});
