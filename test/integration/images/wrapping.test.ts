// Image archives encrypted and compressed: as those of metadata, for readers of ours and for gpg.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findGpg, passphrase } from '../../support/archive/wrapped.js';
import { expectFailure } from '../../support/failure.js';
import { sampleReplica } from '../../support/image-archive.js';
import { runProgram } from '../../support/program.js';
import { fillRegistryTree } from '../../support/registry-tree.js';

let directory: string;
let storage: string;
const gpg = findGpg();
const env = { BACKUP_PASSPHRASE: passphrase.reveal() };

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  storage = join(directory, 'storage');
  mkdirSync(storage);
  fillRegistryTree(storage, { smallBlobs: 3, largeBlobBytes: 1_000_000 });
});
afterAll(() => {
  rmSync(directory, { recursive: true });
  gpg?.[Symbol.dispose]();
});

const images = (...more: string[]): string[] => {
  return ['images', '--registry-path', storage, '--existing-replica-id', sampleReplica, ...more];
};

describe('an image archive', () => {
  (gpg === undefined ? test.skip : test)('encrypted and compressed is read by gpg and tar', async () => {
    const { exitCode, stdout } = await runProgram(images('--encrypt', '--compress', 'gzip'), { env });
    expect(exitCode).toBe(0);
    const plain = gpg?.run(['--decrypt'], stdout);
    const names = execFileSync('tar', ['-tzf', '-'], { input: plain, encoding: 'utf8' }).trim().split('\n');
    expect(names.at(-1)).toBe(`dtr-registry-${sampleReplica}/dtr-image-backup.json`);
  });

  test('encrypted is proved with the passphrase, before it gets its name as well, and refused without', async () => {
    const file = join(directory, 'encrypted.tar.gpg');
    const { exitCode, stderr } = await runProgram(images('--encrypt', '--output', file, '--verify'), { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('Verified') });
    expect(stderr).not.toContain('private keys');
    const verdict = await runProgram(['verify', file], { env });
    expect(`${verdict.exitCode ?? ''} ${verdict.stdout.toString()}`).toMatch(/^0 .*: whole and unaltered/);
    expect((await runProgram(['verify', file])).exitCode).toBe(2);
  });

  test('encrypted serves --since', async () => {
    const file = join(directory, 'earlier.tar.gpg');
    expect((await runProgram(images('--encrypt', '--output', file), { env })).exitCode).toBe(0);
    const { exitCode, stderr } = await runProgram(images('--since', file), { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('4 blobs are held') });
    expectFailure(await runProgram(images('--since', file)), 2, /passphrase/i);
  });
});
