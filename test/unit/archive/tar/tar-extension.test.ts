// PAX headers, as others write or forge them.
import { describe, expect, test } from '@jest/globals';
import { alterHeader } from '../../../support/archive/tar-blocks.js';
import { gnuName, paxBody, readEntries, record } from '../../../support/archive/tar-records.js';

describe('a PAX header', () => {
  test('after another, or beside a GNU long name, is a finding: which of them counts depends on the program', async () => {
    const pax = (path: string): Promise<Buffer> => record('x', paxBody({ path }));
    const gnu = gnuName('L', 'r/2\0');
    const contradicts = 'is an extended header after another that it contradicts';
    for (const [parts, name] of [
      [[await pax('r/0'), await pax('r/1')], 'record'],
      [[await gnu, await pax('r/1')], 'record'],
      [[await pax('r/1'), await gnu], '././@LongLink'],
      [[await gnu, await gnu], '././@LongLink'],
    ] as const) {
      const { found } = await readEntries([...parts, await record('0', '{}')]);
      expect(found).toEqual([`${name}: ${contradicts}`]);
    }
  });

  test('of other form than ours makes the entry not plain, as does a GNU long name', async () => {
    const pax = paxBody({ path: 'r/0' });
    for (const [parts, isPlain] of [
      [[await record('x', pax)], true],
      [[await record('x', pax, 'gnu')], false],
      [[await record('g', paxBody({ comment: '' })), await record('x', pax)], false],
      [[await gnuName('L', 'r/0\0')], false],
    ] as const) {
      const { entries } = await readEntries([...parts, await record('0', '{}')]);
      expect(entries).toMatchObject([{ path: 'r/0', isPlain }]);
    }
  });

  test('without an entry is a finding', async () => {
    const { found } = await readEntries([await record('x', paxBody({ path: 'r/0' }))]);
    expect(found).toEqual(['the archive: ends after an extended header without an entry']);
  });

  test('without end is not read on', async () => {
    const { found } = await readEntries(await Promise.all(Array.from({ length: 9 }, () => record('x', '9 a=bcde\n'))));
    expect(found.at(-1)).toBe('the archive: has more than 4 extended headers for one entry');
  });

  test.each([
    ['path', 'r/0\0x', 'r/0\\u0000x: is the path in a PAX header, which not every tar program takes'],
    ['linkpath', 'r/0\0x', 'r/0\\u0000x: is the linkpath in a PAX header, which not every tar program takes'],
    ['path', '', 'record: is the path in a PAX header, which not every tar program takes'],
    ['hdrcharset', 'BINARY', 'record: has a record in its PAX header that not every tar program knows: hdrcharset'],
    [
      'SCHILY.realsize',
      '9',
      'record: has a record in its PAX header that not every tar program knows: SCHILY.realsize',
    ],
  ])('with %s %j is a finding', async (key, value, finding) => {
    const { found } = await readEntries([await record('x', paxBody({ [key]: value })), await record('0', '{}')]);
    expect(found).toEqual([finding]);
  });

  test('may say what makes no other file: times, owners, attributes, comments', async () => {
    const records = {
      mtime: '-1.5',
      atime: '1',
      uid: '9999999',
      gname: 'staff',
      comment: '',
      'SCHILY.xattr.user.a': '\0',
    };
    const { found } = await readEntries([await record('x', paxBody(records)), await record('0', '{}')]);
    expect(found).toEqual([]);
  });

  test('whose path is not UTF-8 is a finding that names it', async () => {
    const header = await record('x', '13 path=r/??\n');
    header.fill(0xff, 512 + 10, 512 + 12);
    const { found } = await readEntries([header, await record('0', '{}')]);
    expect(found).toEqual(['r/\uFFFD\uFFFD: is in a PAX header (path) and is not UTF-8']);
  });

  test('says that a file is sparse: what is stored is not what is in it', async () => {
    const sparse = { 'GNU.sparse.major': '1', 'GNU.sparse.name': 'r/0' };
    for (const [records, name] of [
      [sparse, 'record'],
      [{ ...sparse, path: 'r/GNUSparseFile.0/0' }, 'r/GNUSparseFile.0/0'],
    ] as const) {
      const { found } = await readEntries([await record('x', paxBody(records)), await record('0', '{}')]);
      expect(found).toEqual([`${name}: is a sparse file: these are not supported, use tar without -S`]);
    }
  });

  test('has the size of what is too large for the plain header', async () => {
    const file = await record('0', 'x'.repeat(600));
    const zeroSized = alterHeader(file, 0, 124, '00000000000\0');
    const { entries, found } = await readEntries([await record('x', paxBody({ size: '600' })), zeroSized]);
    expect(entries).toMatchObject([{ bytes: 600 }]);
    expect(found).toEqual([]);
  });

  // Two blocks of the PAX header and one of the entry's own stand before the body.
  test.each(['-1', '-600', '-1536', '', 'x', 'NaN', 'Infinity', '1e3', '0x10', '1.5', '9999999999999999'])(
    'with size %j is refused, and the reader goes on by the plain header',
    async (size) => {
      const named = paxBody({ size, path: 'r/0' });
      for (const [type, body, name] of [
        ['x', named, 'r/0'],
        ['x', paxBody({ size }), 'record'],
      ] as const) {
        const { entries, found } = await readEntries([
          await record(type, body),
          await record('0', '{}'),
          await record('0', '{}', 'posix', 'r/1'),
        ]);
        expect(found).toEqual([`${name}: has a size in its PAX header that is no number`]);
        expect(entries).toMatchObject([{ bytes: 2 }, { path: 'r/1', bytes: 2 }]);
      }
    },
  );

  test.each([
    ['a length that is no number', 'x comment=y\n'],
    ['a length of nothing', '0 comment=y\n'],
    ['a length beyond its end', '99 comment=y\n'],
    ['a length that ends within its record', '9 comment=y\n'],
    ['no key', '5 =y\n'],
    ['no value', '5 xy\n'],
    ['a key twice', '12 path=a/b\n12 path=a/c\n'],
    ['a key that is not UTF-8', '6 \u00ff=a\n'],
    ['a NUL after its records', '6 a=b\n\0'],
  ])('of %s is malformed, and ends the reading', async (_what, body) => {
    const header = await record('x', 'x'.repeat(body.length));
    header.write(body, 512, 'latin1');
    const { entries, found } = await readEntries([header, await record('0', '{}')]);
    expect(entries).toEqual([]);
    expect(found).toEqual(['the archive: has a malformed PAX header before byte 1024: it is damaged there']);
  });

  test.each<[string, Record<string, string>]>([
    ['name', { path: 'r/0' }],
    ['size', { size: '2' }],
    ['link’s target', { linkpath: 'r/1' }],
  ])('for all entries gives no %s', async (_what, records) => {
    const { found } = await readEntries([await record('g', paxBody(records), 'posix', 'g'), await record('0', '{}')]);
    expect(found).toEqual(['g: is a PAX header that applies to every entry after it']);
  });

  test('for all entries may say other things, as git does', async () => {
    const { entries, found } = await readEntries([
      await record('g', paxBody({ comment: '1f2e3d4c5b6a' })),
      await record('0', '{}', 'posix', 'r/0'),
    ]);
    expect(entries).toMatchObject([{ path: 'r/0', isOwn: false }]);
    expect(found).toEqual([]);
  });
});
