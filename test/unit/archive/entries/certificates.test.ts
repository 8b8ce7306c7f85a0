// Certificate files: what is told of one, which paths they may have, how many an archive takes, and how many a reader.
import { describe, expect, test } from '@jest/globals';
import { Findings } from '#src/archive/verify/findings.js';
import {
  oldestExpiry,
  summarizeCertificateFile,
  CertificatePaths,
  certificatePathFault,
  CertificateSet,
} from '#src/archive/entries/certificates.js';
import { limits } from '#src/archive/layout.js';
import { ForeignReader } from '#src/archive/read/foreign-reader.js';
import { ExitCode } from '#src/base/exit-codes.js';
import { rawEntry } from '../../../support/archive/odd-tars.js';
import { createAuthority } from '../../../support/pki.js';

/** Made with `openssl req -x509`; its key was thrown away. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBlzCCAT2gAwIBAgIUWGPMVrFvyRBourkWtQdWYGa5IaAwCgYIKoZIzj0EAwIw
IDEQMA4GA1UEAwwHcmV0aGluazEMMAoGA1UECgwDRFRSMCAXDTI2MTEyMzE4MzMw
OVoYDzIxMjYxMDMwMTgzMzA5WjAgMRAwDgYDVQQDDAdyZXRoaW5rMQwwCgYDVQQK
DANEVFIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATRz6KT96ODfUhHOsMYHf+1
gnF98N/G8RZJkMm6nF0HbLbjnSCU2LpT7UBNiqNNTEpk+ZG72UwdMAJmkKRDjL3q
o1MwUTAdBgNVHQ4EFgQUrG1YJbL89lNA/nAE5bVW8If8vv4wHwYDVR0jBBgwFoAU
rG1YJbL89lNA/nAE5bVW8If8vv4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNIADBFAiA7HfgUWYu18irUsb7rtDi+WFmRQM+R88Rjc2C3Gt4JawIhAK6Ks6DU
wm4it7THNwLhnm/tNW62wNbf6Aw1RoYlOrQe
-----END CERTIFICATE-----
`;

test('a certificate with a key beside it is told by subject and end', () => {
  const body = Buffer.from(`${certificate}-----BEGIN EC PRIVATE KEY-----\n`);
  expect(summarizeCertificateFile(body)).toEqual({
    subject: 'CN=rethink, O=DTR',
    expiresAt: '2126-10-30T18:33:09.000Z',
    hasPrivateKey: true,
  });
});

test('what is no certificate is told as little', () => {
  expect(summarizeCertificateFile(Buffer.from('hello'))).toEqual({ hasPrivateKey: false });
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(summarizeCertificateFile(Buffer.from(broken))).toEqual({ hasPrivateKey: false });
});

describe('the oldest expiry', () => {
  const authority = createAuthority('CA');
  const [expired, soon] = ['2020-01-01T00:00:00Z', '2030-01-01T00:00:00Z'].map((notAfter) => {
    return authority.issue({ commonName: 'server', notAfter: new Date(notAfter) });
  });
  const { cert = '', key = '' } = soon ?? {};
  const derOf = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ''), 'base64');

  test.each([
    ['no file', [], undefined],
    ['one certificate', [certificate], '2126-10-30T18:33:09.000Z'],
    ['several files', [certificate, cert], '2030-01-01T00:00:00.000Z'],
    ['a bundle', [certificate + key + cert], '2030-01-01T00:00:00.000Z'],
    ['a bundle with one that is broken', [certificate.replace('MIIB', 'AAAA') + cert], '2030-01-01T00:00:00.000Z'],
    ['one that has expired', [cert, expired?.cert ?? ''], '2020-01-01T00:00:00.000Z'],
    ['lines that end in CR LF', [cert.replaceAll('\n', '\r\n')], '2030-01-01T00:00:00.000Z'],
    ['a bundle that begins as DER does', [`0${cert}`], '2030-01-01T00:00:00.000Z'],
    ['DER', [certificate, derOf(cert)], '2030-01-01T00:00:00.000Z'],
  ])('is found in %s', (_, bodies, expected) => {
    expect(oldestExpiry(bodies.map((body) => Buffer.from(body)))?.toISOString()).toBe(expected);
  });

  const begin = '-----BEGIN CERTIFICATE-----';
  test.each([
    ['an empty file', ''],
    ['a key', key],
    ['text', 'hello'],
    ['no end', begin],
    ['an empty body', `${begin}\n\n-----END CERTIFICATE-----`],
    ['many beginnings', begin.repeat(40_000)],
    ['many broken ones', `${begin}\nAAAA\n-----END CERTIFICATE-----\n`.repeat(2000)],
    ['half a certificate', cert.slice(0, 300)],
    ['half a certificate in DER', derOf(cert).subarray(0, 300)],
    ['zeros behind the first byte of DER', Buffer.concat([Buffer.from('0'), Buffer.alloc(10_000)])],
    ['bytes that are no text', Buffer.alloc(10_000, 0xff)],
  ])('is nowhere in %s', (_, body) => {
    expect(oldestExpiry([Buffer.from(body)])).toBeUndefined();
  });

  test('throws nothing, whichever byte of a certificate is another', () => {
    const der = derOf(certificate);
    for (const at of der.keys()) {
      const altered = Buffer.from(der);
      altered[at] = 0xff;
      expect(() => oldestExpiry([altered])).not.toThrow();
    }
  });
});

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
])('the path %j is one of a certificate file', (path) => {
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
])('the path %j is none of a certificate file: it %s', (path, fault) => {
  expect(certificatePathFault(path)).toBe(fault);
});

describe('the path of a certificate file among others', () => {
  const conflictOf = (...paths: readonly string[]): string | undefined => {
    const all = new CertificatePaths();
    for (const path of paths) expect(all.add(path.replace(/\/$/, ''), path.endsWith('/'))).toBeUndefined();
    return all.conflict();
  };

  test('a file may not stand twice; a directory may', () => {
    const paths = new CertificatePaths();
    expect([paths.add('a', false), paths.add('a', false)]).toEqual([undefined, 'occurs twice']);
    expect([paths.add('d', true), paths.add('d', true)]).toEqual([undefined, undefined]);
  });

  test('a file may have nothing below it, nor be a directory, in whatever order they come', () => {
    expect(conflictOf('a/b/c', 'a-', 'a/b-', 'a/b')).toBe('a/b');
    expect(conflictOf('a', 'a/')).toBe('a');
    expect(conflictOf('a/b/', 'a')).toBe('a');
    expect(conflictOf('a/', 'a/b', 'a/c', 'ab', 'a/b c')).toBeUndefined();
  });
});

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
    ['ca/one.pem', 'certificate file ca/one.pem occurs twice: an archive does not take it'],
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

/** An archive with a certificate file of the largest size in each of these volumes. */
async function* archiveOf(volumes: readonly string[]): AsyncGenerator<Buffer, void, undefined> {
  const body = Buffer.alloc(limits.certificateBytes);
  yield rawEntry({ name: 'root/rethink/tags/0', body: '{"id":1}' });
  for (const [index, volume] of volumes.entries()) {
    const size = `${body.length.toString(8).padStart(11, '0')}\0`;
    yield await Promise.resolve(rawEntry({ name: `root/certs/${volume}/${index}`, size }).subarray(0, 512));
    yield body;
  }
  yield Buffer.alloc(1024);
}

async function readCertificates(volumes: readonly string[]): Promise<{ paths: string[]; findings: string[] }> {
  const findings = new Findings();
  const paths: string[] = [];
  for await (const item of new ForeignReader(archiveOf(volumes), findings).items()) {
    if (item.kind === 'certificate') paths.push(item.path);
  }
  return { paths, findings: findings.first.map(({ reason }) => reason) };
}

test('an archive has at most 64 MiB of certificate files, of both volumes together', async () => {
  expect(await readCertificates(['ca', 'ca', 'notary', 'notary'])).toEqual({
    paths: ['ca/0', 'ca/1', 'notary/2', 'notary/3'],
    findings: [],
  });
  const { paths, findings } = await readCertificates(['ca', 'ca', 'notary', 'notary', 'notary', 'notary']);
  expect(paths).toEqual(['ca/0', 'ca/1', 'notary/2', 'notary/3']);
  expect(findings).toEqual(['has more than 67108864 bytes of certificate files']);
});
