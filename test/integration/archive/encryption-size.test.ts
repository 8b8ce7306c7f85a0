/**
 * Encrypted archives of real size, stock gpg at the other end: whole in both directions, refused wherever they are cut or
 * altered. A gigabyte where all is tried; it stays on the disk twice.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { registryDirectory } from '#src/archive/images/image-layout.js';
import { Command, type Ended } from '../../support/command.js';
import { findGpg, passphrase } from '../../support/archive/wrapped.js';
import { sampleReplica } from '../../support/image-archive.js';
import { Program, runProgram } from '../../support/program.js';
import { addBlob } from '../../support/registry-tree.js';
import { scaled } from '../../support/scale.js';

const archiveBytes = scaled(2_000_000, 1_000_000_000);
const blobs = 10;
const env = { BACKUP_PASSPHRASE: passphrase.reveal() };
const gpg = findGpg();
const withGpg = gpg === undefined ? test.skip : test;
const directory = mkdtempSync(join(tmpdir(), 'encryption-'));
const storage = join(directory, 'storage');
const placeCount = scaled(3, 6);
const places = Array.from({ length: placeCount }, (_, index) => (index + 0.5) / placeCount);

beforeAll(() => {
  const content = Buffer.alloc(archiveBytes / blobs);
  const digests = Array.from({ length: blobs }, () => addBlob(storage, randomFillSync(content)));
  const link = join(storage, registryDirectory, 'repositories/a/_layers/sha256', digests[0] ?? '', 'link');
  mkdirSync(dirname(link), { recursive: true });
  writeFileSync(link, `sha256:${digests[0]}`);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
  gpg?.[Symbol.dispose]();
});

/** Writes what a command prints into a file. */
async function toFile(name: string, run: (stdout: number) => Promise<Ended>): Promise<string> {
  const path = join(directory, name);
  const stdout = openSync(path, 'w');
  try {
    const { exitCode, stderr } = await run(stdout);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  } finally {
    closeSync(stdout);
  }
  return path;
}

const images = (...more: string[]): ((stdout: number) => Promise<Ended>) => {
  const args = ['images', '--registry-path', storage, '--existing-replica-id', sampleReplica, ...more];
  return (stdout) => new Program(args, { env, stdout }).ended();
};

/** What is said besides how far the reading is, of which a slow machine says more. */
function withoutProgress({ stderr }: Ended): string {
  return stderr.replaceAll(/^INFO\[\d+\] Read \d[\d.]* [kMG]?B[ ,].*\n/gm, '');
}

function expectWhole(ended: Ended): void {
  expect({ exitCode: ended.exitCode, stderr: withoutProgress(ended) }).toEqual({ exitCode: 0, stderr: '' });
  expect(ended.stdout.toString()).toMatch(/: whole and unaltered: 11 files, .* 10 blobs/);
}

/** Alters and cuts the file here and there, which leaves next to nothing of it. */
async function expectRefused(path: string): Promise<void> {
  const { size } = statSync(path);
  for (const place of places) {
    const offset = Math.floor(size * place);
    flipBit(path, offset);
    await expectInvalid(path, { offset });
    flipBit(path, offset);
  }
  expectWhole(await runProgram(['verify', path], { env }));
  for (const place of [1, ...places.toReversed()]) {
    const bytes = Math.floor(size * place) - 1;
    truncateSync(path, bytes);
    await expectInvalid(path, { bytes });
  }
}

/** `done` is what was done to the file: it names the case where this fails. */
async function expectInvalid(path: string, done: object): Promise<void> {
  const ended = await runProgram(['verify', path], { env });
  expect({ ...done, exitCode: ended.exitCode, stderr: withoutProgress(ended) }).toEqual({
    ...done,
    exitCode: 9,
    stderr: expect.stringMatching(/^FATA.* is invalid: \d+ findings?\n$/),
  });
}

function flipBit(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  writeSync(file, Buffer.from([byte.readUInt8() ^ 0x10]), 0, 1, offset);
  closeSync(file);
}

describe(`an archive of ${archiveBytes.toLocaleString('en')} bytes and more`, () => {
  withGpg(
    'that we encrypt is decrypted by gpg, and refused by verify when cut or altered',
    async () => {
      const ours = await toFile('ours', images('--encrypt'));
      const decrypt = gpg?.command(['--decrypt', ours]) ?? [];
      const plain = await toFile('plain', (stdout) => new Command(decrypt, { stdout }).ended());
      expectWhole(await runProgram(['verify', plain]));
      rmSync(plain);
      await expectRefused(ours);
      rmSync(ours);
    },
    600_000,
  );

  withGpg(
    'that gpg encrypts passes verify, and is refused when cut or altered',
    async () => {
      const plain = await toFile('plain', images('--no-encrypt'));
      const theirs = join(directory, 'theirs');
      const options = ['--compress-algo', 'none', '--output', theirs, '--symmetric', plain];
      const { exitCode, stderr } = await new Command(gpg?.command(options) ?? []).ended();
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      rmSync(plain);
      await expectRefused(theirs);
    },
    600_000,
  );
});
