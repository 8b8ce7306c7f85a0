import { describe, expect, test } from '@jest/globals';
import { CertificatePaths, certificatePathFault } from '#src/archive/entries/certificate-path.js';

test.each([
  'ca/a',
  'a\\b',
  'old\\',
  ' ',
  '...',
  '-',
  'é/e\u0301',
  '\n\u0007',
  `${'x'.repeat(255)}/y`,
  'a/'.repeat(499) + 'a',
])('a path such as %j is kept', (path) => {
  expect(certificatePathFault(path)).toBeUndefined();
});

test.each([
  ['', 'has an empty name in it'],
  ['/a', 'has an empty name in it'],
  ['a//b', 'has an empty name in it'],
  ['a/', 'has an empty name in it'],
  ['.', 'has the name . in it'],
  ['a/./b', 'has the name . in it'],
  ['a/../b', 'has the name .. in it'],
  ['a\0b', 'has a NUL in it'],
  ['\udc00', 'is not UTF-8'],
  ['x'.repeat(256), 'has a name of more than 255 bytes in it'],
  ['ü'.repeat(128), 'has a name of more than 255 bytes in it'],
  ['ab/'.repeat(334), 'is longer than 1000 bytes'],
])('a path such as %j is not: it %s', (path, fault) => {
  expect(certificatePathFault(path)).toBe(fault);
});

describe('among others', () => {
  const conflictOf = (...paths: readonly string[]): string | undefined => {
    const all = new CertificatePaths();
    for (const path of paths) expect(all.add(path.replace(/\/$/, ''), path.endsWith('/'))).toBeUndefined();
    return all.conflict();
  };

  test('a file may not stand twice; a directory may', () => {
    const paths = new CertificatePaths();
    expect([paths.add('a', false), paths.add('a', false)]).toEqual([undefined, 'stands twice']);
    expect([paths.add('d', true), paths.add('d', true)]).toEqual([undefined, undefined]);
  });

  test('a file may have nothing below it, nor be a directory, in whatever order they come', () => {
    expect(conflictOf('a/b/c', 'a-', 'a/b-', 'a/b')).toBe('a/b');
    expect(conflictOf('a', 'a/')).toBe('a');
    expect(conflictOf('a/b/', 'a')).toBe('a');
    expect(conflictOf('a/', 'a/b', 'a/c', 'ab', 'a/b c')).toBeUndefined();
  });
});
