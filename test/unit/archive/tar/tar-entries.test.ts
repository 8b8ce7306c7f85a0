// Entries as they stand: what is a body, what is a directory, and GNU's long names before them.
import { describe, expect, test } from '@jest/globals';
import { Findings } from '#src/archive/verify/findings.js';
import { ByteSource } from '#src/archive/tar/byte-source.js';
import { TarEntries } from '#src/archive/tar/tar-entries.js';
import { inputOf } from '../../../support/archive/sample.js';
import { gnuName, readEntries, record } from '../../../support/archive/tar-records.js';

const end = Buffer.alloc(1024);
const long = `r/${'deep/'.repeat(40)}0`;

describe('a GNU long name', () => {
  test('names the entry after it, and no other', async () => {
    const { entries, found } = await readEntries([
      await gnuName('L', `${long}\0`),
      await record('0', '{}', 'gnu', long.slice(0, 99)),
      await record('0', '{}', 'gnu', 'r/1'),
    ]);
    expect(entries).toMatchObject([
      { path: long, kind: 'file', bytes: 2, isExtended: true, isOwn: false },
      { path: 'r/1', kind: 'file', bytes: 2, isExtended: false },
    ]);
    expect(found).toEqual([]);
  });

  test('may be that of a link’s target, and come with the other', async () => {
    const { entries, found } = await readEntries([
      await gnuName('K', `../${long}\0`),
      await gnuName('L', `${long}\0`),
      await record('2', '', 'gnu'),
    ]);
    expect(entries).toMatchObject([{ path: long, linkName: `../${long}`, kind: 'other', type: '2' }]);
    expect(found).toEqual([]);
  });

  test.each([
    ['without the NUL at its end', 'r/00'],
    ['with a NUL within', 'r/0\0../../etc/passwd\0'],
    ['of nothing', ''],
  ])('%s is malformed', async (_how, body) => {
    for (const type of ['L', 'K'] as const) {
      const { found } = await readEntries([await gnuName(type, body), await record('0', '{}', 'gnu')]);
      expect(found).toEqual(['././@LongLink: is a malformed GNU long name']);
    }
  });

  test('that is not UTF-8 is malformed, and the entry keeps its short one', async () => {
    for (const type of ['L', 'K'] as const) {
      const name = await gnuName(type, 'r/??\0');
      name.fill(0xff, 514, 516);
      const { entries, found } = await readEntries([name, await record('0', '{}', 'gnu', 'r/0')]);
      expect(entries).toMatchObject([{ path: 'r/0', linkName: '' }]);
      expect(found).toEqual(['././@LongLink: is a malformed GNU long name']);
    }
  });

  test('that is cut short ends the tar', async () => {
    const cut = (await gnuName('L', `${long}\0`)).subarray(0, 600);
    const tar = new TarEntries(new ByteSource(inputOf(cut, 700).chunks), new Findings());
    expect(await tar.next()).toBeUndefined();
    expect(tar.isBroken).toBe(true);
  });
});

test.each([100, 700, 5000])(
  'pieces of bodies may be kept, whatever is read after them (chunks of %d)',
  async (chunkBytes) => {
    const bodies = Array.from({ length: 20 }, (_, index) => String(index).repeat(100 * index));
    const files = await Promise.all(bodies.map((body) => record('0', body)));
    const source = new ByteSource(inputOf(Buffer.concat([...files, end]), chunkBytes).chunks);
    const tar = new TarEntries(source, new Findings());
    const kept: Buffer[][] = [];
    for (let entry = await tar.next(); entry !== undefined; entry = await tar.next()) {
      const pieces: Buffer[] = [];
      for await (const piece of tar.pieces(entry)) pieces.push(piece);
      kept.push(pieces);
    }
    expect(kept.map((pieces) => Buffer.concat(pieces).toString())).toEqual(bodies);
  },
);

test.each(['1', '2', '3', '4', '5', '6'])(
  'an entry of type %s has no body: what followed would be guessed',
  async (type) => {
    const { entries, found } = await readEntries([await record(type, '{}', 'posix', 'r/0'), await record('0', '{}')]);
    expect(entries).toHaveLength(1);
    expect(found).toEqual(['the archive: has a body for r/0, though that is no file']);
  },
);

test('an entry of the old type, which had no directories, is one when its name ends in a slash', async () => {
  const { entries, found } = await readEntries([
    await record('\0', '', 'posix', 'r/'),
    await record('\0', '{}', 'posix', 'r/0'),
    await record('7', '{}', 'posix', 'r/1'),
  ]);
  expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
    ['r/', 'directory'],
    ['r/0', 'file'],
    ['r/1', 'file'],
  ]);
  expect(found).toEqual([]);
});

test('a file whose name ends in a slash is a directory, as tar programs take it, and no header of ours', async () => {
  const { entries } = await readEntries([await record('0', '', 'posix', 'r/')]);
  expect(entries).toMatchObject([{ path: 'r/', kind: 'directory', isOwn: false }]);
});
