// Paths that cannot be unpacked side by side, as an archive of others may have them.
import { expect, test } from '@jest/globals';
import { UnpackedPaths } from '#src/archive/read/unpacked-paths.js';

test.each([
  ['rethink/tags', true, undefined],
  ['rethink/tags/0', false, undefined],
  ['rethink/tags/0', true, 'is a directory where a file belongs'],
  ['rethink/tags', false, 'is a file where a directory belongs'],
  ['rethink/tags/0/x', false, 'is below a file'],
  ['manifest.json', true, 'is a directory where a file belongs'],
  ['manifest.json/x', false, 'is below a file'],
  ['something/else', false, undefined],
])('%s, a directory: %s', (path, isDirectory, fault) => {
  expect(new UnpackedPaths().add(path, isDirectory)).toBe(fault);
});

test('certificates stand once, and not below one another', () => {
  const paths = new UnpackedPaths();
  expect([paths.add('certs/ca/a', false), paths.add('certs/ca/a', false)]).toEqual([undefined, 'occurs twice']);
  expect(paths.conflict()).toBeUndefined();
  paths.add('certs/ca/a/b', false);
  expect(paths.conflict()).toBe('ca/a');
});
