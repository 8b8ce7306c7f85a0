// What is said of entries before their headers: GNU's long names, and PAX headers that others write or forge.
import { describe, expect, test } from '@jest/globals';
import { Findings } from '#src/archive/checks/findings.js';
import { ByteSource } from '#src/archive/tar/byte-source.js';
import { TarEntries, type TarEntry } from '#src/archive/tar/tar-entries.js';
import { inputOf, lines } from '../../../support/archive/sample.js';
import { alterHeader, foreignEntry } from '../../../support/archive/tar-blocks.js';

const end = Buffer.alloc(1024);
const long = `r/${'deep/'.repeat(40)}0`;

/** A record of this type, its header as GNU tar or as POSIX has it. */
async function record(type: string, body: string, form: 'gnu' | 'posix' = 'posix', name = 'record'): Promise<Buffer> {
  const { bytes } = await foreignEntry({ name }, body);
  const typed = alterHeader(bytes, 0, 156, type);
  return form === 'gnu' ? alterHeader(typed, 0, 257, 'ustar  \0') : typed;
}

const gnuName = (type: 'L' | 'K', body: string): Promise<Buffer> => record(type, body, 'gnu', '././@LongLink');

function paxBody(records: Readonly<Record<string, string>>): string {
  const parts = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length;
    // It counts its own digits.
    while (String(length).length + rest.length > length) length += 1;
    return `${length}${rest}`;
  });
  return parts.join('');
}

/** All entries with their bodies passed over, and what is wrong with them; ends a reader that goes round in circles. */
async function readEntries(parts: readonly Buffer[]): Promise<{ entries: TarEntry[]; found: string[] }> {
  const findings = new Findings();
  const tar = new TarEntries(new ByteSource(inputOf(Buffer.concat([...parts, end]), 700).chunks), findings);
  const entries: TarEntry[] = [];
  for (let entry = await tar.next(); entry !== undefined; entry = await tar.next()) {
    entries.push(entry);
    if (entries.length > 10) throw new Error('there are not so many entries');
    await tar.body(entry);
  }
  return { entries, found: lines({ findings: findings.first(true) }) };
}

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
    ['without the NUL at its end', 'r/0'],
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

describe('a PAX header', () => {
  test('after another adds to it, and is none of ours', async () => {
    const { entries, found } = await readEntries([
      await record('x', paxBody({ path: 'r/first', linkpath: 'target' })),
      await record('x', paxBody({ path: 'r/second' })),
      await record('0', '{}'),
    ]);
    expect(entries).toMatchObject([{ path: 'r/second', linkName: 'target', isOwn: false }]);
    expect(found).toEqual([]);
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
    ['bytes that are not UTF-8', '6 a=\u00ff\n'],
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
  ])('for all entries gives no %s', async (_what, records) => {
    const { found } = await readEntries([await record('g', paxBody(records), 'posix', 'g'), await record('0', '{}')]);
    expect(found).toEqual(['g: is a PAX header that gives every entry the same name or size']);
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
