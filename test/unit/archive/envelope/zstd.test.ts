// zstd as its own program and others write it: skippable frames, several frames, windows of every size.
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { compressionOf, isAvailable } from '#src/archive/envelope/compression.js';
import { noise, unwrapBytes } from '../../../support/archive/wrapped.js';

const hasZstd = isAvailable('zstd');
if (!hasZstd) process.stderr.write('SKIPPED for want of a Node with zstd: reading what the zstd program writes\n');
const hasProgram = spawnSync('zstd', ['--version']).status === 0;
if (!hasProgram) process.stderr.write('SKIPPED for want of the zstd program: frames that it writes\n');
const withZstd = hasZstd ? test : test.skip;
const withBoth = hasProgram && hasZstd ? test : test.skip;

const plain = noise(300_000);
const zstd = (args: readonly string[], input: Buffer): Buffer =>
  spawnSync('zstd', ['-q', '-c', ...args], { input }).stdout;
const skippable = (bytes: number, kind = 0): Buffer => {
  const head = Buffer.alloc(8 + bytes, 'x');
  head.writeUInt32LE(0x184d2a50 + kind, 0);
  head.writeUInt32LE(bytes, 4);
  return head;
};

test('a frame of data, and each kind of skippable frame, are known by their first bytes', () => {
  expect(compressionOf(Buffer.from('28b52ffd', 'hex'))).toBe('zstd');
  for (const kind of [0, 1, 15]) {
    expect(compressionOf(skippable(4, kind))).toBe('zstd');
  }
  for (const other of ['', '28b52f', '27b52ffd', '602a4d18', '4f2a4d18']) {
    expect(compressionOf(Buffer.from(other, 'hex'))).toBeUndefined();
  }
});

describe('the memory that a frame needs', () => {
  const frame = (...bytes: number[]): Buffer => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...bytes, ...Buffer.alloc(12)]);
  const tooLarge = {
    exitCode: 2,
    message:
      'the zstd data needs a window of more than 128 MiB (zstd --long=27), which is the limit: ' +
      'decompress it with zstd -d --long=31 first',
  };

  withZstd.each([
    ['a window of 144 MiB', frame(0x00, (17 << 3) | 1)],
    ['a window of 2 GiB', frame(0x00, 21 << 3)],
    ['content of 4 GiB, held as a whole', frame(0xe0, 0, 0, 0, 0, 1)],
    ['content of 129 MiB, held as a whole', frame(0xa0, 0, 0, 0x10, 8)],
  ])('is beyond the limit: %s', async (_what, bytes) => {
    await expect(unwrapBytes(bytes)).rejects.toMatchObject(tooLarge);
  });
});

describe('what the zstd program writes', () => {
  withBoth.each([
    ['by default', []],
    ['with a window of 128 MiB', ['--long=27']],
    ['without a checksum', ['--no-check']],
    ['as strong as it can', ['--ultra', '-22']],
  ])('%s comes back', async (_how, args) => {
    for (const chunkBytes of [1000, 65_536]) {
      expect((await unwrapBytes(zstd(args, plain), {}, chunkBytes)).equals(plain)).toBe(true);
    }
  });

  withBoth('comes back with skippable frames before, between and behind it', async () => {
    const [one, other] = [zstd([], plain), zstd([], Buffer.from('more'))];
    const all = Buffer.concat([skippable(4), one, skippable(0, 3), skippable(100_000, 15), other, skippable(9)]);
    for (const chunkBytes of [7, 1000, all.length]) {
      expect((await unwrapBytes(all, {}, chunkBytes)).equals(Buffer.concat([plain, Buffer.from('more')]))).toBe(true);
    }
  });

  withBoth('is refused by the limit with a window of 2 GiB, and found when it is cut or goes on', async () => {
    await expect(unwrapBytes(zstd(['--long=31', '--ultra'], plain))).rejects.toMatchObject({ exitCode: 2 });
    const whole = zstd([], plain);
    const cut = Buffer.concat([whole, skippable(100).subarray(0, 50)]);
    for (const bad of [
      cut,
      Buffer.concat([whole, skippable(4).subarray(0, 6)]),
      Buffer.concat([whole, Buffer.alloc(3)]),
    ]) {
      await expect(unwrapBytes(bad)).rejects.toMatchObject({ name: 'DamagedInputError' });
    }
  });
});
