import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { BlobReferences } from '#src/archive/images/blob-references.js';
import { HeldBlobs } from '#src/archive/images/held-blobs.js';
import type { ImageEntry } from '#src/archive/images/image-entry.js';
import { blobPath } from '#src/archive/images/image-layout.js';
import { ImageArchiveWriter } from '#src/archive/images/image-writer.js';
import { StorageCopy } from '#src/jobs/images/storage-copy.js';
import { chunksOf, silentContext } from '../../../support/archive/sample.js';
import { noise } from '../../../support/archive/wrapped.js';
import { collectOutput } from '../../../support/collected-output.js';
import { checkImages, sampleImageRoot } from '../../../support/image-archive.js';

const digest = 'ab'.repeat(32);

/** What is left out of these entries, which an engine gives where an earlier archive holds the blob `digest`. */
async function leftOutOf(entries: readonly (Pick<ImageEntry, 'type' | 'path'> & Partial<ImageEntry>)[]) {
  const references = new BlobReferences();
  const held = new HeldBlobs(references);
  held.add({ name: { kind: 'digest', digest }, bytes: 0, sha256: digest });
  const writer = new ImageArchiveWriter(collectOutput(), sampleImageRoot, references);
  const copy = new StorageCopy({ writer, held, source: 'a test' }, silentContext);
  const rest = { mode: 0o755, uid: 0, gid: 0, mtime: '0', bytes: 0, target: '', attributes: [] };
  for (const given of entries) {
    const body = Readable.from([]) as AsyncIterable<Buffer>;
    const entry = { ...rest, ...given };
    await copy.take({ kind: 'entry', entry, body, hasOtherNames: false, changes: () => undefined });
  }
  return { leftOut: copy.summary.leftOut, heldCount: copy.summary.heldBefore.count, unfitCount: copy.unfitCount };
}

describe('a blob by id, which comes only once', () => {
  const path = 'docker/registry/v2/blobs/id/ab/ab12/data';

  /** What becomes of it where an earlier archive holds `held` under its id. */
  async function copied(held: Buffer, content: Buffer) {
    const references = new BlobReferences();
    const output = collectOutput();
    const writer = new ImageArchiveWriter(output, sampleImageRoot, references);
    const blobs = new HeldBlobs(references);
    blobs.add({ name: { kind: 'id', id: 'ab12' }, bytes: held.length, sha256: hash('sha256', held) });
    const copy = new StorageCopy({ writer, held: blobs, source: 'a test' }, silentContext);
    const rest = { mode: 0o755, uid: 0, gid: 0, mtime: '0', bytes: 0, target: '', attributes: [] };
    const body = (bytes: Buffer): AsyncIterable<Buffer> => Readable.from(chunksOf(bytes, 65_536));
    const item = { kind: 'entry', hasOtherNames: false, changes: () => undefined } as const;
    const parents = path.split('/').slice(0, -1);
    for (const [index] of ['', ...parents].entries()) {
      const entry: ImageEntry = { ...rest, type: 'directory', path: parents.slice(0, index).join('/') };
      await copy.take({ ...item, entry, body: body(Buffer.alloc(0)) });
    }
    await copy.take({ ...item, entry: { ...rest, type: 'file', path, bytes: content.length }, body: body(content) });
    const at = new Date('2030-01-01').toISOString();
    await writer.finish((checksums) => ({
      ...{ kind: 'images', formatVersion: 1, tool: { name: 'test', version: '0' }, replicaId: '0a1b2c3d4e5f' },
      ...{ storage: 'a test', startedAt: at, finishedAt: at, since: [] },
      ...checksums,
      ...copy.summary,
    }));
    const { files, manifest } = await checkImages(output.bytes());
    return { written: files.get(path), heldBefore: manifest.heldBefore };
  }

  test.each([
    ['small', 1000],
    ['large', 1_000_000],
  ])('is left out where name, size and content are the same: %s', async (_size, bytes) => {
    const content = noise(bytes);
    expect(await copied(content, content)).toEqual({ heldBefore: { count: 1, bytes } });
  });

  test.each([
    ['small, of the same size', 1000, 1000],
    ['large, of the same size', 1_000_000, 1_000_000],
    ['of another size', 1000, 1001],
  ])('is written where the content is another: %s', async (_what, before, after) => {
    const content = noise(after);
    expect(await copied(Buffer.alloc(before, 1), content)).toEqual({
      written: content,
      heldBefore: { count: 0, bytes: 0 },
    });
  });
});

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
