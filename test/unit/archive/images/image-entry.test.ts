import { describe, expect, test } from '@jest/globals';
import { decimal, fromTarEntry, toEntryData, whyNotKept, withinRoot } from '#src/archive/images/image-entry.js';
import type { ImageEntry } from '#src/archive/images/image-entry.js';
import type { TarEntry } from '#src/archive/tar/tar-entries.js';
import { blobDigest, blobName, imageRootOf, isUpload, pathInVolume } from '#src/archive/images/image-layout.js';

const entry: ImageEntry = {
  ...{
    type: 'file',
    path: 'a',
    mode: 0o644,
    uid: 1,
    gid: 2,
    mtime: '1700000000',
    bytes: 3,
    target: '',
    attributes: [],
  },
};

describe('an entry for the tar', () => {
  test('is plain where its numbers fit the header', () => {
    expect(toEntryData(entry, 'r')).toEqual({
      ...{ name: 'r/_data/a', type: 'file', mode: 0o644, uid: 1, gid: 2, stats: { size: 3 } },
      date: new Date(1_700_000_000_000),
    });
  });

  test.each<[string, Partial<ImageEntry>, Record<string, string>]>([
    ['a fraction of a second', { mtime: '1700000000.000000001' }, { mtime: '1700000000.000000001' }],
    ['a time before 1970', { mtime: '-1.5' }, { mtime: '-1.5' }],
    ['a time after 2038', { mtime: '5000000000' }, { mtime: '5000000000' }],
    ['a large owner', { uid: 300_000, gid: 4_000_000_000 }, { uid: '300000', gid: '4000000000' }],
    ['an attribute', { attributes: [['SCHILY.xattr.user.a', 'b']] }, { 'SCHILY.xattr.user.a': 'b' }],
  ])('has %s in a PAX record', (_what, change, pax) => {
    expect(toEntryData({ ...entry, ...change }, 'r')).toMatchObject({ pax });
  });

  test.each([
    ['a\\b', 0o644, /backslash/],
    ['a', 0, /no permission/],
  ])('%s with mode %d cannot be kept', (path, mode, reason) => {
    expect(whyNotKept({ ...entry, path, mode })).toMatch(reason);
    expect(whyNotKept(entry)).toBeUndefined();
  });
});

test.each([
  ['a path', { path: 'r/_data/a\0b', type: '0', kind: 'file', linkName: '' }, 'is outside the volume'],
  ['a target', { path: 'r/_data/a', type: '2', kind: 'other', linkName: 'b\0c' }, 'links to a name with a NUL in it'],
  ['a sparse header', { path: 'r/_data/a', type: 'S', kind: 'other', linkName: '' }, 'is a sparse file'],
])('%s that tar would cut or fill is refused', (_what, given, reason) => {
  const why = expect.stringContaining(reason) as unknown;
  expect(fromTarEntry(given as TarEntry, withinRoot('r'))).toEqual({ kind: 'fault', why });
});

test.each([
  ['1700000000.500', '1700000000.5'],
  ['5.000', '5'],
  ['-1.5', '-1.5'],
  ['1e3', undefined],
  ['', undefined],
])('%j in decimal is %j', (text, expected) => {
  expect(decimal(text)).toBe(expected);
});

describe('the layout', () => {
  const digest = `ab${'0'.repeat(62)}`;

  test('knows blobs by their place', () => {
    expect(blobDigest(`docker/registry/v2/blobs/sha256/ab/${digest}/data`)).toBe(digest);
    expect(blobDigest(`docker/registry/v2/blobs/sha256/00/${digest}/data`)).toBeUndefined();
    expect(blobDigest(`docker/registry/v2/repositories/a/_layers/sha256/${digest}/link`)).toBeUndefined();
    expect(blobName('docker/registry/v2/blobs/id/ab/abc/data')).toEqual({ kind: 'id', id: 'abc' });
    for (const path of ['blobs/id/ac/abc/data', 'blobs/id/ab/abc/link', 'blobs/id/ab/abc/x/data', 'blobs/id///data'])
      expect(blobName(`docker/registry/v2/${path}`)).toBeUndefined();
  });

  test('knows pushes in progress', () => {
    expect(isUpload('docker/registry/v2/repositories/a/b/_uploads/1/data')).toBe(true);
    expect(isUpload('docker/registry/v2/repositories/my_uploads/_layers')).toBe(false);
  });

  test('knows its roots', () => {
    expect(imageRootOf('dtr-registry-0a1b2c3d4e5f/_data/')).toBe('dtr-registry-0a1b2c3d4e5f');
    expect(imageRootOf('dtr-backup-v2.9.4-online/')).toBeUndefined();
    expect(pathInVolume('r', 'r/_data')).toBe('');
    expect(pathInVolume('r', 'r/_data/a/b')).toBe('a/b');
    expect(pathInVolume('r', 'r/_database/a')).toBeUndefined();
  });
});

test('what is not UTF-8, in a name or in the target of a link, cannot be kept', () => {
  expect(whyNotKept({ ...entry, path: '\ufffd' })).toBe('has a name that is not UTF-8');
  expect(whyNotKept({ ...entry, type: 'symlink', target: '\ufffd' })).toBe('links to a name that is not UTF-8');
  expect(whyNotKept({ ...entry, type: 'symlink', target: 'a', mode: 0 })).toBeUndefined();
});
