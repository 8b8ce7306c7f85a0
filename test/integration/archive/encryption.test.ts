/** Encrypted and compressed archives as an operator meets them: stock gpg in both directions, exit codes, one line each. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeArchive, sampleRoot } from '../../support/archive/sample.js';
import { findGpg, noise, passphrase, wrapBytes } from '../../support/archive/wrapped.js';
import { fatalLines } from '../../support/failure.js';
import { runProgram } from '../../support/program.js';
import { someOf } from '../../support/scale.js';

const gpg = findGpg();
const withGpg = gpg === undefined ? test.skip : test;
const env = { BACKUP_PASSPHRASE: passphrase.reveal() };
const file = (name: string): string => join(directory, name);
let directory: string;
let archive: Buffer;
let encrypted: Buffer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'encryption-'));
  const texts = Array.from({ length: 100 }, (_, id) => {
    const data = noise(7000 + id).toString('base64');
    return `{"data":"${data}","id":${id}}`;
  });
  archive = await makeArchive([{ name: 'blobs', texts }]);
  encrypted = await wrapBytes(archive, { encryption: { passphrase } });
  writeFileSync(file('encrypted'), encrypted);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
  gpg?.[Symbol.dispose]();
});

const whole = new RegExp(`^${sampleRoot}/: whole and unaltered: 100 documents`);

describe('stock gpg', () => {
  withGpg('reads an archive that we encrypt with a passphrase', async () => {
    expect(gpg?.run(['--decrypt'], encrypted).equals(archive)).toBe(true);
    const compressed = await wrapBytes(archive, { compression: 'gzip', encryption: { passphrase } });
    expect(gpg?.run(['--decrypt'], compressed).subarray(0, 2).toString('hex')).toBe('1f8b');
  });

  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['compressed inside, as by default', []],
    ['with the most work for a passphrase that it asks for by itself', ['--s2k-count', '65011712']],
    ['with zlib inside', ['--compress-algo', 'zlib']],
    ['with bzip2 inside', ['--compress-algo', 'bzip2']],
    ['uncompressed', ['--compress-algo', 'none']],
    ['armoured', ['--armor']],
    ['with AES-128', ['--cipher-algo', 'AES']],
    ['with 3DES', ['--cipher-algo', '3DES']],
  ];
  withGpg.each(ways)('writes an archive that we read: %s', async (how, options) => {
    const index = ways.findIndex(([name]) => name === how);
    for (const plain of someOf([archive, gzipSync(archive)], 2, index)) {
      const stdin = gpg?.run([...options, '--symmetric'], plain);
      const good = await runProgram(['verify'], { env, stdin });
      expect(good.stdout.toString()).toMatch(whole);
      expect({ exitCode: good.exitCode, stderr: good.stderr }).toEqual({ exitCode: 0, stderr: '' });
      const wrong = await runProgram(['verify'], { env: { BACKUP_PASSPHRASE: 'wrong' }, stdin });
      // 3DES has no short way to tell.
      if (!options.includes('3DES')) expect(wrong.exitCode).toBe(2);
      else expect([2, 9]).toContain(wrong.exitCode);
    }
  });

  withGpg('and we open each other’s archives that are encrypted to a key', async () => {
    gpg?.run(['--quick-generate-key', 'backup@example.org', 'future-default', 'default', 'never']);
    const publicKeys = gpg?.run(['--armor', '--export']).toString() ?? '';
    writeFileSync(file('secret.asc'), gpg?.run(['--armor', '--export-secret-keys']) ?? '');
    const ours = await wrapBytes(archive, { encryption: { publicKeys } });
    expect(gpg?.run(['--decrypt'], ours).equals(archive)).toBe(true);
    const theirs = gpg?.run(['--trust-model', 'always', '--recipient', 'backup@example.org', '--encrypt'], archive);
    const key = ['--decrypt-key', file('secret.asc')];
    for (const stdin of [ours, theirs]) {
      const good = await runProgram(['verify', ...key], { env, stdin });
      expect(good.stdout.toString()).toMatch(whole);
      const locked = await runProgram(['verify', ...key], { stdin });
      expect(fatalLines(locked)).toEqual([expect.stringContaining('--decrypt-key is locked: give its passphrase')]);
      const another = await runProgram(['verify', ...key], { env: { BACKUP_PASSPHRASE: 'wrong' }, stdin });
      expect(fatalLines(another)).toEqual([expect.stringContaining('locked with another passphrase')]);
      const keyless = await runProgram(['verify'], { env, stdin });
      expect(fatalLines(keyless)).toEqual([expect.stringMatching(/stdin is encrypted: give --decrypt-key$/)]);
      expect([locked.exitCode, another.exitCode, keyless.exitCode]).toEqual([2, 2, 2]);
    }
  });

  withGpg('writes what is refused where it leaves out the integrity check', async () => {
    const unprotected = gpg?.run(['--rfc2440', '--cipher-algo', '3DES', '--disable-mdc', '--symmetric'], archive);
    const ended = await runProgram(['verify'], { env, stdin: unprotected });
    expect(ended.exitCode).toBe(9);
  });
});

describe('an encrypted archive', () => {
  test('is inspected with its passphrase from a file', async () => {
    writeFileSync(file('passphrase'), `${passphrase.reveal()}\n`);
    const ended = await runProgram(['inspect', file('encrypted')], {
      env: { BACKUP_PASSPHRASE_FILE: file('passphrase') },
    });
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ended.stdout.toString()).toContain(sampleRoot);
  });

  test.each([
    ['without a passphrase', {}, /encrypted is encrypted: give --passphrase \(better BACKUP_PASSPHRASE/],
    ['with a wrong one', { BACKUP_PASSPHRASE: 'wr0ng' }, /encrypted is encrypted with another passphrase/],
  ])('%s is refused in one line', async (_how, variables, message) => {
    for (const command of ['verify', 'inspect', 'convert']) {
      const ended = await runProgram([command, file('encrypted')], { env: variables });
      expect(fatalLines(ended)).toEqual([expect.stringMatching(message)]);
      expect({ exitCode: ended.exitCode, bytes: ended.stdout.length }).toEqual({ exitCode: 2, bytes: 0 });
      expect(ended.stderr).not.toMatch(/wr0ng|^ +at /m);
    }
  });

  test('cut or altered is invalid: exit code 9', async () => {
    const altered = Buffer.from(encrypted);
    altered.writeUInt8(altered.readUInt8(600_000) ^ 1, 600_000);
    for (const stdin of [altered, encrypted.subarray(0, -1), encrypted.subarray(0, 300_000)]) {
      for (const command of ['verify', 'inspect', 'convert']) {
        const ended = await runProgram([command], { env, stdin });
        expect({ command, exitCode: ended.exitCode }).toEqual({ command, exitCode: 9 });
        expect(fatalLines(ended)).toHaveLength(1);
      }
    }
  });

  test('is converted into another, encrypted or not', async () => {
    const converted = await runProgram(['convert', '--encrypt', '--compress', 'gzip'], { env, stdin: encrypted });
    expect(converted.exitCode).toBe(0);
    const good = await runProgram(['verify'], { env, stdin: converted.stdout });
    expect(good.stdout.toString()).toMatch(whole);
    const plain = await runProgram(['convert'], { env, stdin: encrypted });
    expect(plain.stderr).toContain('is not encrypted (--encrypt)');
    expect((await runProgram(['verify'], { stdin: plain.stdout })).stdout.toString()).toMatch(whole);
  });
});
