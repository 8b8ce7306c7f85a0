// Certificate volumes as an engine packs them: links, odd names, tars that are broken, made to harm, or never end.
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { pack } from 'tar-stream';
import { ExitCode } from '#src/base/exit-codes.js';
import { packFiles, readFileTree, type FileTree } from '#src/archive/tar/file-tree.js';
import { chunksOf } from '../../../support/archive/sample.js';
import { paxHeader, rawEntry, type Header } from '../../../support/archive/odd-tars.js';
import { readTarEntries } from '../../../support/tar-entries.js';

const end = Buffer.alloc(1024);
const options = { directory: '/ca', volume: 'ca', monotonicMs: () => 0 };
const directory = rawEntry({ name: 'ca/', type: '5' });

async function makeTar(): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: 'ca/', type: 'directory' });
  tar.entry({ name: 'ca/rethink/cert.pem' }, 'certificate');
  tar.entry({ name: 'ca/empty' }, '');
  tar.entry({ name: `ca/${'deep/'.repeat(40)}key.pem` }, 'key');
  tar.finalize();
  return buffer(tar);
}

const readTree = (...parts: readonly Buffer[]): Promise<FileTree> =>
  readFileTree(Readable.from(chunksOf(Buffer.concat([...parts, end]), 700)), options);

/** A volume of these entries, below `ca/`. */
const volume = (...entries: readonly Header[]): Promise<FileTree> =>
  readTree(directory, ...entries.map((entry) => rawEntry({ ...entry, name: `ca/${String(entry.name)}` })));

const contents = ({ files }: FileTree): Record<string, string> =>
  Object.fromEntries(files.map(({ path, body }) => [path, body.toString()]));

describe('a directory as the engine packs it', () => {
  test('is read into its files, by their paths below it', async () => {
    const tree = await readTree((await makeTar()).subarray(0, -1024));
    expect(tree.files.map(({ path, body }) => [path, body.toString()])).toEqual([
      [`${'deep/'.repeat(40)}key.pem`, 'key'],
      ['empty', ''],
      ['rethink/cert.pem', 'certificate'],
    ]);
    expect(tree).toMatchObject({ followed: [], skipped: [], outside: [] });
  });

  test('is refused when cut at any block, also between two entries', async () => {
    const tar = await makeTar();
    for (let length = 0; length < tar.length; length += 512) {
      await expect(readFileTree(Readable.from([tar.subarray(0, length)]), options)).rejects.toThrow();
    }
  });

  test('is refused when its source fails', async () => {
    const tar = await makeTar();
    const failing = Readable.from(
      (function* () {
        yield tar.subarray(0, 1024);
        throw new Error('connection reset');
      })(),
    );
    await expect(readFileTree(failing, options)).rejects.toThrow('connection reset');
  });

  test('keeps every name that Linux and UTF-8 have, byte for byte', async () => {
    const names = [
      'a\\b.pem',
      'old\\',
      ' a b ',
      'schlüssel.pem',
      'e\u0301',
      '\n',
      '\u0007',
      '-rf',
      'x'.repeat(255),
      '...',
    ];
    const tree = await readTree(
      directory,
      ...names.flatMap((name) => [paxHeader(['path', `ca/${name}`]), rawEntry({ name: 'x', body: name })]),
    );
    expect(contents(tree)).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  });
});

describe('a name', () => {
  test.each([
    ['../../x', 'has the name .. in it'],
    ['./x', 'has the name . in it'],
    ['/x', 'has an empty name in it'],
    ['a//x', 'has an empty name in it'],
    ['x'.repeat(256), 'has a name of more than 255 bytes in it'],
    ['ü'.repeat(128), 'has a name of more than 255 bytes in it'],
    ['xy/'.repeat(400), 'is longer than 1000 bytes'],
  ])('such as %s is refused by exit code 5, and named', async (path, fault) => {
    const reading = readTree(directory, paxHeader(['path', `ca/${path}x`]), rawEntry({ name: 'x', body: 'x' }));
    await expect(reading).rejects.toMatchObject({ exitCode: ExitCode.replica });
    await expect(reading).rejects.toThrow(fault);
  });

  test.each<[string, readonly Header[], string]>([
    ['twice', [{ name: 'a' }, { name: 'a' }], 'ca/a occurs twice'],
    ['of a file and of a directory', [{ name: 'a' }, { name: 'a/', type: '5' }], 'a is a file and has others below it'],
    ['below a file', [{ name: 'a/b' }, { name: 'a' }, { name: 'a-' }], 'a is a file and has others below it'],
    ['below a link', [{ name: 'a', type: '2', link: 'b' }, { name: 'a/b' }], 'a is a file and has others below it'],
  ])('%s is refused', async (_what, entries, message) => {
    await expect(volume(...entries)).rejects.toThrow(message);
  });

  test('may be as long as in an archive, where the volume is part of it', async () => {
    const pathOf = (bytes: number): string => 'a/'.repeat(500).slice(0, bytes - 1) + 'b';
    const read = async (path: string): Promise<FileTree> =>
      readTree(directory, paxHeader(['path', `ca/${path}`]), rawEntry({ name: 'x' }));
    expect((await read(pathOf(997))).files.map(({ path }) => path)).toEqual([pathOf(997)]);
    await expect(read(pathOf(998))).rejects.toMatchObject({
      exitCode: ExitCode.replica,
      message: expect.stringContaining('is longer than 1000 bytes') as unknown,
    });
  });

  test.each<[string, readonly Buffer[], string]>([
    ['with a NUL', [paxHeader(['path', 'ca/a\0b']), rawEntry({ name: 'x' })], 'is the path in a PAX header'],
    ['of a file that ends in a slash', [rawEntry({ name: 'ca/x/', body: 'x' })], 'has a body for ca/x/'],
    ['of the volume for a file', [rawEntry({ name: 'ca', body: 'x' })], 'ca has an empty name in it'],
    [
      'of another directory',
      [rawEntry({ name: 'etc/passwd', body: 'x' })],
      'is outside the directory of the entries before it',
    ],
    [
      'that is not UTF-8',
      [paxHeader(['path', Buffer.from('ca/caf\u00e9', 'latin1')]), rawEntry({ name: 'x' })],
      'ca/caf\uFFFD is in a PAX header (path) and is not UTF-8',
    ],
  ])('%s is refused', async (_what, parts, message) => {
    await expect(readTree(directory, ...parts)).rejects.toThrow(message);
  });
});

describe('a tar without end', () => {
  const many = (part: Buffer): Buffer => Buffer.concat(Array.from({ length: 200 }, () => part));

  function* endless(part: Buffer): Generator<Buffer> {
    yield directory;
    for (;;) yield part;
  }

  test.each<[string, Buffer, string]>([
    ['of zeros', Buffer.alloc(65_536), 'its tar has trailing bytes'],
    ['of entries of no bytes', many(rawEntry({ name: 'ca/x/', type: '5' })), 'more than 20000 entries'],
    ['of directories of one name', many(rawEntry({ name: 'ca/', type: '5' })), 'more than 20000 entries'],
    ['of PAX headers', paxHeader(['comment', 'x']), 'is an extended header after another'],
  ])('%s is refused', async (_what, part, message) => {
    await expect(readFileTree(Readable.from(endless(part)), options)).rejects.toThrow(message);
  });

  test('of content is refused before it is held: what it announces counts', async () => {
    const announcing = rawEntry({ name: 'ca/x', size: '00400000001' });
    await expect(readTree(directory, announcing)).rejects.toThrow('more than 67108864 bytes of files');
  });

  test('of links to one large file is refused: each is a copy in an archive', async () => {
    const file = rawEntry({ name: 'ca/a', body: Buffer.alloc(1024 * 1024) });
    for (const type of ['1', '2']) {
      const links = Array.from({ length: 64 }, (_, index) =>
        rawEntry({ name: `ca/${index}`, type, link: type === '1' ? 'ca/a' : 'a' }),
      );
      await expect(readTree(directory, file, ...links)).rejects.toThrow('more than 67108864 bytes of files');
    }
  });

  test('of a byte now and then is refused after five minutes', async () => {
    let seconds = 0;
    function* trickle(): Generator<Buffer> {
      for (;;) {
        seconds += 1;
        yield Buffer.from('c');
      }
    }
    const trickling = { directory: '/ca', volume: 'ca', monotonicMs: () => 1000 * seconds };
    const reading = readFileTree(Readable.from(trickle()), trickling);
    await expect(reading).rejects.toThrow('it was not read completely within 5 minutes');
    expect(seconds).toBeLessThan(330);
  });
});

test('what is packed for an engine has every name, owner and content as it is given', async () => {
  const files = ['a\\b', 'old\\', 'ü'.repeat(120), 'plain'].map((path, index) => ({
    ...{ path, body: Buffer.from(path), mode: 0o640, gid: 5 },
    uid: 2_097_151 + index,
  }));
  const entries = await readTarEntries(packFiles(files, new Date('2040-01-01T00:00:00Z')));
  expect(
    entries.map(({ header: { name, mode, uid, gid, mtime, pax }, body }) => [
      name,
      mode,
      Number((pax as { uid?: string } | null)?.uid ?? uid),
      gid,
      mtime,
      body,
    ]),
  ).toEqual(
    files.map(({ path, mode, uid, gid, body }) => [path, mode, uid, gid, new Date('2040-01-01T00:00:00Z'), body]),
  );
});
