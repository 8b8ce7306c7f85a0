// What certificate files an archive takes: all that its reader would refuse is refused before the first byte.
import { describe, expect, test } from '@jest/globals';
import { CertificateSet } from '#src/archive/entries/certificate-set.js';
import { limits } from '#src/archive/layout.js';
import { ExitCode } from '#src/base/exit-codes.js';

const setOf = (paths: readonly string[], body = Buffer.alloc(0)): CertificateSet =>
  new CertificateSet(
    paths.map((path) => ({ path, body })),
    ExitCode.replica,
  );

function failureOf(make: () => unknown): unknown {
  try {
    make();
  } catch (error) {
    return error;
  }
  return 'taken';
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, number) => `ca/${number}`);

test('a set says of its files what the manifest does', () => {
  expect(setOf(['ca/b', 'ca/a'], Buffer.from('abc')).described).toEqual(
    ['ca/b', 'ca/a'].map((path) => ({
      path,
      bytes: 3,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    })),
  );
});

describe('with the exit code it is given, a set refuses', () => {
  test.each([
    ['ca/../x', 'certificate file ca/../x has the name .. in it: an archive does not take it'],
    ['ca//x', 'certificate file ca//x has an empty name in it: an archive does not take it'],
    ['ca/a\0b', 'certificate file ca/a\\u0000b has a NUL in it: an archive does not take it'],
    ['ca/\ud800', 'certificate file ca/\\ud800 is not UTF-8: an archive does not take it'],
    ['ca/one.pem', 'certificate file ca/one.pem stands twice: an archive does not take it'],
    ['ca/one.pem/two', 'certificate file ca/one.pem has others below it'],
  ])('the path %j beside ca/one.pem', (path, message) => {
    expect(failureOf(() => setOf(['ca/one.pem', path]))).toMatchObject({ exitCode: ExitCode.replica, message });
  });

  test('a file beyond 16 MiB', () => {
    const body = Buffer.alloc(limits.certificateBytes + 1);
    expect(failureOf(() => setOf(['ca/x'], body))).toMatchObject({
      exitCode: ExitCode.replica,
      message: 'certificate file ca/x has 16777217 bytes: an archive takes at most 16777216',
    });
  });

  test('more than 64 MiB in all volumes together', () => {
    const body = Buffer.alloc(limits.certificateBytes);
    const four = ['ca/1', 'ca/2', 'notary/1', 'notary/2'];
    expect(setOf(four, body).described).toHaveLength(4);
    expect(failureOf(() => setOf([...four, 'notary/3'], body))).toMatchObject({
      exitCode: ExitCode.replica,
      message: 'the certificate files have 83886080 bytes together: an archive takes at most 67108864',
    });
  });

  test('more than 9,000 files', () => {
    expect(setOf(numbered(limits.certificates)).described).toHaveLength(9000);
    expect(failureOf(() => setOf(numbered(limits.certificates + 1)))).toMatchObject({
      exitCode: ExitCode.replica,
      message: 'there are 9001 certificate files: an archive takes at most 9000',
    });
  });
});
