import { expect, test } from '@jest/globals';
import { EntryTree } from '#src/archive/images/entry-tree.js';
import type { ImageEntry } from '#src/archive/images/image-entry.js';

type Short = readonly [ImageEntry['type'], string, string?];

function entry([type, path, target = '']: Short): ImageEntry {
  return { ...{ type, path, target, mode: 0o644, uid: 0, gid: 0, mtime: '0', bytes: 0 }, attributes: [] };
}

const top: Short = ['directory', ''];

test.each<[string, readonly Short[], Short, string | undefined]>([
  ['a file in its directory', [top, ['directory', 'a']], ['file', 'a/b'], undefined],
  [
    'one after another directory came between',
    [top, ['directory', 'a'], ['directory', 'b']],
    ['file', 'a/b'],
    undefined,
  ],
  ['a hard link to a file', [top, ['file', 'a']], ['link', 'b', 'a'], undefined],
  ['a hard link to a hard link', [top, ['file', 'a'], ['link', 'b', 'a']], ['link', 'c', 'b'], undefined],
  ['a symbolic link to nothing', [top], ['symlink', 'a', '/nowhere'], undefined],
  ['the volume itself as a link', [], ['symlink', '', '/etc'], 'is not a directory'],
  ['a file before the volume', [], ['file', 'a'], 'is in a directory that does not precede it'],
  ['a file without its directory', [top], ['file', 'a/b'], 'is in a directory that does not precede it'],
  ['a file below a file', [top, ['file', 'a']], ['file', 'a/b'], 'is below something that is not a directory'],
  [
    'a file below a symbolic link',
    [top, ['symlink', 'a', '/']],
    ['file', 'a/b'],
    'is below something that is not a directory',
  ],
  ['a file twice', [top, ['file', 'a']], ['file', 'a'], 'occurs twice'],
  ['a directory twice', [top, ['directory', 'a']], ['directory', 'a'], 'occurs twice'],
  ['a link in place of a directory', [top, ['directory', 'a']], ['symlink', 'a', '/'], 'occurs twice'],
  ['the volume twice', [top], top, 'occurs twice'],
  ['a hard link to nothing', [top], ['link', 'a', 'b'], 'is a hard link to something that does not precede it'],
  ['a hard link to itself', [top], ['link', 'a', 'a'], 'is a hard link to something that does not precede it'],
  ['a hard link to a directory', [top, ['directory', 'a']], ['link', 'b', 'a'], 'is a hard link to a directory'],
])('%s', (_what, before, next, reason) => {
  const tree = new EntryTree();
  for (const one of before) {
    expect(tree.faultOf(entry(one))).toBeUndefined();
    tree.add(entry(one));
  }
  expect(tree.faultOf(entry(next))).toBe(reason);
});

test('more entries than memory is meant for are not taken', () => {
  const tree = new EntryTree(2);
  tree.add(entry(top));
  tree.add(entry(['file', 'a']));
  expect(tree.faultOf(entry(['file', 'b']))).toBe('is one of more than 2 entries');
});
