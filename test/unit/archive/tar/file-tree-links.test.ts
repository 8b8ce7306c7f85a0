// Links in a certificate volume: second names have the content of the first, symbolic links that of what they lead to.
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { readFileTree, type FileTree } from '#src/archive/tar/file-tree.js';
import { rawEntry, type Header } from '../../../support/archive/odd-tars.js';

/** A volume of these entries, below `ca/`. */
function volume(...entries: readonly Header[]): Promise<FileTree> {
  const parts = entries.map((entry) => rawEntry({ ...entry, name: `ca/${String(entry.name)}` }));
  const tar = Buffer.concat([rawEntry({ name: 'ca/', type: '5' }), ...parts, Buffer.alloc(1024)]);
  return readFileTree(Readable.from([tar]), { directory: '/ca', volume: 'ca', monotonicMs: () => 0 });
}

const contents = ({ files }: FileTree): Record<string, string> =>
  Object.fromEntries(files.map(({ path, body }) => [path, body.toString()]));

describe('a link', () => {
  test('of a second name has the content of the first, also through a third', async () => {
    const tree = await volume(
      { name: 'a.pem', body: 'KEY' },
      { name: 'b.pem', type: '1', link: 'ca/a.pem' },
      { name: 'd/c.pem', type: '1', link: 'ca/b.pem' },
    );
    expect(contents(tree)).toEqual({ 'a.pem': 'KEY', 'b.pem': 'KEY', 'd/c.pem': 'KEY' });
    expect(tree).toMatchObject({ followed: [], skipped: [], outside: [] });
  });

  test.each(['ca/none.pem', 'ca/later.pem', 'a.pem', 'ca/', '../x', '/etc/passwd'])(
    'of a second name for %s, which is no file before it, is a broken tar',
    async (link) => {
      const reading = volume({ name: 'b.pem', type: '1', link }, { name: 'later.pem', body: 'x' });
      await expect(reading).rejects.toThrow(`its tar is broken: ca/b.pem links to ${link}, which does not precede it`);
    },
  );

  test.each([
    ['2026.pem', 'current.pem'],
    ['./d/../2026.pem', 'current.pem'],
    ['../2026.pem', 'd/current.pem'],
    ['/ca/2026.pem', 'd/current.pem'],
    ['/ca/./d/..//2026.pem', 'd/current.pem'],
    ['d/other.pem', 'current.pem'],
    ['e/other.pem', 'current.pem'],
  ])('to %s at %s is kept as the file it leads to', async (link, name) => {
    const tree = await volume(
      { name: 'd/', type: '5' },
      { name: 'e', type: '2', link: 'd' },
      { name, type: '2', link },
      { name: 'd/other.pem', type: '2', link: '../2026.pem' },
      { name: '2026.pem', body: 'KEY' },
    );
    expect(contents(tree)).toEqual({ '2026.pem': 'KEY', 'd/other.pem': 'KEY', [name]: 'KEY' });
    expect(tree.followed).toContainEqual({ path: name, why: `is a symbolic link to ${link}` });
    expect(tree.skipped).toEqual([
      { path: 'e', why: 'is a symbolic link to a directory of the volume, whose own files are kept' },
    ]);
  });

  test.each(['/etc/ssl/key.pem', '../key.pem', 'd/../../key.pem', '/cab/key.pem', '/'])(
    'to %s leads out of the volume, and is told as a loss',
    async (link) => {
      const tree = await volume({ name: 'd/', type: '5' }, { name: 'key.pem', type: '2', link });
      expect(tree).toMatchObject({ files: [], skipped: [] });
      expect(tree.outside).toEqual([{ path: 'key.pem', why: 'is a symbolic link out of the volume' }]);
    },
  );

  test.each(['none.pem', 'key.pem', 'none/../key2.pem', 'key2.pem/x'])(
    'to %s, where nothing is, has nothing to keep',
    async (link) => {
      const tree = await volume({ name: 'key.pem', type: '2', link }, { name: 'key2.pem', body: 'x' });
      expect(tree.skipped).toEqual([{ path: 'key.pem', why: 'is a symbolic link to nothing' }]);
      expect(tree.outside).toEqual([]);
    },
  );

  test('in a circle of links ends', async () => {
    const tree = await volume({ name: 'a', type: '2', link: 'b' }, { name: 'b', type: '2', link: 'a/../a' });
    expect(tree.skipped.map(({ path }) => path)).toEqual(['a', 'b']);
  });

  test('is not what a device or a FIFO is: those have no content', async () => {
    const tree = await volume({ name: 'fifo', type: '6' }, { name: 'null', type: '3' });
    expect(tree.skipped).toEqual([
      { path: 'fifo', why: 'is a FIFO' },
      { path: 'null', why: 'is a character device' },
    ]);
  });
});
