// Single files whose names and owners need not be ours: what a plain header has no room for stands in a PAX header.
import { describe, expect, test } from '@jest/globals';
import { encodeFileEntry, type FileEntry } from '#src/archive/tar/file-entry.js';
import { fullHeader } from '#src/archive/tar/ustar.js';
import { readEntries } from '../../../support/archive/tar-records.js';

const plain: FileEntry = {
  path: 'r/a',
  body: Buffer.from('abc'),
  mode: 0o640,
  uid: 1,
  gid: 2,
  mtimeSeconds: 1_700_000_000,
};

describe('a file', () => {
  test('that a plain header tells has no other', async () => {
    const { entries, found } = await readEntries([encodeFileEntry(plain)]);
    expect(found).toEqual([]);
    expect(entries).toMatchObject([
      {
        path: 'r/a',
        kind: 'file',
        bytes: 3,
        mode: 0o640,
        uid: 1,
        gid: 2,
        mtimeSeconds: 1_700_000_000,
        isExtended: false,
      },
    ]);
  });

  test.each<[string, Partial<FileEntry>, Record<string, string>]>([
    ['name that is not ASCII', { path: 'r/ä' }, { path: 'r/ä' }],
    ['name longer than its field', { path: `r/${'x'.repeat(99)}` }, { path: `r/${'x'.repeat(99)}` }],
    ['large owner', { uid: 3_000_000 }, { uid: '3000000' }],
    ['large group', { gid: 4_000_000 }, { gid: '4000000' }],
    ['large owner and group', { uid: 3_000_000, gid: 4_000_000 }, { uid: '3000000', gid: '4000000' }],
  ])('with a %s has it in a PAX header', async (_what, change, records) => {
    const { entries, found } = await readEntries([encodeFileEntry({ ...plain, ...change })]);
    expect(found).toEqual([]);
    expect(entries.map((entry) => Object.fromEntries(entry.records))).toEqual([records]);
    const { path = plain.path, uid = plain.uid, gid = plain.gid } = change;
    const owner = { uid: uid === plain.uid ? uid : 0, gid: gid === plain.gid ? gid : 0 };
    expect(entries).toMatchObject([{ path, ...owner, bytes: 3, isExtended: true }]);
  });
});

test('a body of more than eleven octal digits has no header', () => {
  const fields = { path: 'a', mode: 0o600, mtimeSeconds: 0, type: '0' } as const;
  expect(() => fullHeader(fields, 8 ** 11)).toThrow('a body of 8589934592 bytes does not fit a tar header');
});
