// What is no archive of ours is named by what it looks like; real archives, however they are wrapped, never are.
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DamagedInputError } from '#src/archive/damaged-input.js';
import { unwrapInput } from '#src/archive/envelope/envelope.js';
import {
  inputOf,
  lines,
  makeArchive,
  sampleCertificates,
  sampleJournal,
  verifyBytes,
} from '../../../support/archive/sample.js';
import { alterHeader } from '../../../support/archive/tar-blocks.js';
import { noise, passphrase, wrapBytes } from '../../../support/archive/wrapped.js';
import { runProgram } from '../../../support/program.js';

const archive = await makeArchive(sampleJournal, { certificates: sampleCertificates });
const encrypted = await wrapBytes(archive, { encryption: { passphrase } });
const directory = mkdtempSync(join(tmpdir(), 'foreign-'));
afterAll(() => rmSync(directory, { recursive: true }));

const findingsOf = async (bytes: Buffer): Promise<string[]> => {
  return lines(await verifyBytes(bytes, 65_536, { passphrase }));
};
const base64 = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('base64').replaceAll(/.{76}/g, '$&\n'));
const utf16 = (bytes: Buffer): Buffer => Buffer.from(`\ufeff${bytes.toString('latin1')}`, 'utf16le');
const log = Buffer.from('INFO[0000] Signing in to UCP\nINFO[0001] Connected to RethinkDB 2.4.4\n');
const after = (count: number): string =>
  `begins with ${count} bytes before the archive (log lines, by 2>&1 or docker run -t): make it again without them`;
const page = 'looks like HTML or XML: the response of a server was stored instead of an archive';

test.each<[string, Buffer, string]>([
  ['UTF-16', utf16(archive), "looks like UTF-16, as PowerShell's > writes it: its bytes are lost: make it again"],
  ['UTF-16 of gzip', utf16(gzipSync(archive)), "looks like UTF-16, as PowerShell's > writes it"],
  ['a byte order mark', Buffer.concat([Buffer.from('\ufeff'), archive]), 'begins with a byte order mark'],
  ['a log before it', Buffer.concat([log, archive]), after(log.length)],
  ['a log before its gzip', Buffer.concat([log, gzipSync(archive)]), after(log.length)],
  ['base64', base64(archive), 'looks like base64: run base64 -d first'],
  ['base64 of its gzip', base64(gzipSync(archive)), 'looks like base64: run base64 -d first'],
  ['base64 of its encryption', base64(encrypted), 'looks like base64: run base64 -d first'],
  ['an error page', Buffer.from('<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n'), page],
  ['an error of S3', Buffer.from('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'), page],
  ['an error of an API', Buffer.from('{"errors":[{"code":"UNAUTHORIZED"}]}'), 'looks like JSON'],
  ['a key', Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc'), 'looks like an OpenPGP key or signature'],
  ['openssl', Buffer.from('Salted__12345678abcdef'), 'looks like openssl enc: decrypt it with openssl first'],
  ['7z', Buffer.from('377abcaf271c0004', 'hex'), 'looks like 7z: run 7z x first'],
])('%s is named', async (_what, bytes, words) => {
  const found = await findingsOf(bytes);
  expect(found).toEqual([expect.stringContaining(`the archive: ${words}`)]);
});

test('so it is inside gzip and encryption', async () => {
  const pieces = Buffer.concat([log, archive]);
  for (const bytes of [gzipSync(pieces), await wrapBytes(pieces, { encryption: { passphrase } })]) {
    expect(await findingsOf(bytes)).toEqual([`the archive: ${after(log.length)}`]);
  }
});

describe('compressed by another program', () => {
  test.each([
    ['xz', ['xz', '-0c'], 'looks like xz: run xz -d first'],
    ['lzma', ['xz', '--format=lzma', '-0c'], 'looks like lzma: run xz --format=lzma -d first'],
    ['bzip2', ['bzip2', '-c'], 'looks like bzip2: run bzip2 -d first'],
    ['lz4', ['lz4', '-c'], 'looks like lz4: run lz4 -d first'],
    ['zip', ['zip', '-q', '-', '-'], 'looks like zip: run unzip first'],
  ] as const)('%s is named', async (name, [command, ...args], words) => {
    const { status, stdout } = spawnSync(command, args, { input: archive });
    if (status !== 0) {
      process.stderr.write(`SKIPPED for want of ${command}: archives that are ${name}\n`);
      return;
    }
    expect(await findingsOf(stdout)).toEqual([expect.stringContaining(`the archive: ${words}`)]);
  });
});

test('an archive is never taken for anything else, and nothing known is only no tar', async () => {
  for (const good of [archive, gzipSync(archive), encrypted]) expect(await findingsOf(good)).toEqual([]);
  // A first entry may begin with any name.
  const named = alterHeader(archive, 0, 0, 'BZh91AY&SY');
  expect((await findingsOf(named)).join()).not.toContain('bzip2');
  expect(await findingsOf(Buffer.alloc(5000, 'hello\n'))).toEqual(['the archive: is not a tar']);
});

describe('an archive sent as text', () => {
  const crlf = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
  const large = noise(20_000).toString('base64');

  test.each([['inspect'], ['convert'], ['restore', '--rethinkdb-addr', '127.0.0.1:1', '--rethinkdb-plaintext']])(
    '%s says why, too',
    async (...args) => {
      const { exitCode, stderr } = await runProgram(args, { stdin: crlf(archive) });
      expect(exitCode).toBe(9);
      expect(stderr).toContain('; every LF in it follows a CR, as if it had been sent as text: send it as binary');
    },
  );

  test.each<[string, () => Promise<Buffer>]>([
    ['bare', () => Promise.resolve(archive)],
    ['gzipped', async () => gzipSync(await makeArchive([{ name: 'tags', texts: [`{"id":1,"x":"${large}"}`] }]))],
  ])('is invalid as ever, and the line says why: %s', async (_what, make) => {
    const whole = await make();
    for (const [stdin, says] of [
      [crlf(whole), true],
      [whole.subarray(0, -700), false],
    ] as const) {
      const { exitCode, stderr } = await runProgram(['verify'], { stdin });
      expect(exitCode).toBe(9);
      expect(stderr.includes('; every LF in it follows a CR, as if it had been sent as text: send it as binary')).toBe(
        says,
      );
    }
  });
});

test('an encrypted message sent as text is told from the damage to its head', async () => {
  // A passphrase's session key with a salt of line ends.
  const head = Buffer.concat([Buffer.from([0xc3, 13, 4, 9, 3, 8]), Buffer.alloc(8, '\n'), Buffer.from([0x60])]);
  const sent = Buffer.from(head.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
  for (const [bytes, says] of [
    [sent, true],
    [head, false],
  ] as const) {
    await using input = await unwrapInput(inputOf(bytes, 65_536), { passphrase });
    await expect(input.chunks[Symbol.asyncIterator]().next()).rejects.toThrow(DamagedInputError);
    expect(input.hint?.()?.includes('send it as binary') ?? false).toBe(says);
  }
});

describe('gzip as others write it', () => {
  const half = Math.floor(archive.length / 2);
  const members = Buffer.concat([gzipSync(archive.subarray(0, half)), gzipSync(archive.subarray(half))]);

  test.each<[string, Buffer]>([
    ['of two members', members],
    ['padded with zeros', Buffer.concat([members, Buffer.alloc(200_000)])],
    ['padded with one', Buffer.concat([members, Buffer.alloc(1)])],
    ['of an empty member, too', Buffer.concat([members, gzipSync('')])],
  ])('%s is whole, as gzip -t has it', async (_what, bytes) => {
    const path = join(directory, 'x.gz');
    writeFileSync(path, bytes);
    expect(spawnSync('gzip', ['-t', path]).status).toBe(0);
    expect(await findingsOf(readFileSync(path))).toEqual([]);
  });

  test.each<[string, Buffer]>([
    ['text', Buffer.from('hello')],
    ['zeros and text', Buffer.concat([Buffer.alloc(100_000), Buffer.from('x')])],
    ['zeros and a member', Buffer.concat([Buffer.alloc(512), members])],
    ['half a member', members.subarray(0, 20)],
  ])('with %s behind it is not', async (_what, more) => {
    expect((await findingsOf(Buffer.concat([members, more]))).join()).toMatch(
      /has trailing bytes after its gzip data|is damaged gzip data/,
    );
  });
});
