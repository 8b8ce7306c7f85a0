// What trying a passphrase costs, as the packet says it: of each version, and of what is no such packet.
import { expect, test } from '@jest/globals';
import { derivationOf } from '#src/archive/envelope/string-to-key.js';

const salt = Buffer.alloc(16, 's');
const aes256 = 9;
const iterated = Buffer.from([3, 8, ...salt.subarray(0, 8), 0x60]);
const argon2 = (passes: number, exponent: number): Buffer => Buffer.from([4, ...salt, passes, 4, exponent]);

/** By version: what stands before the specifier. */
const heads: readonly (readonly number[])[] = [
  [4, aes256],
  [5, aes256, 2],
  [6, 20, aes256, 2, 11],
];

test.each(heads.map((head) => [head[0], Buffer.from(head)] as const))('version %d', (_version, head) => {
  const cost = (specifier: Buffer): unknown => derivationOf(Buffer.concat([head, specifier]));
  expect(cost(iterated)).toEqual({ cipher: aes256, bytes: 65_536 });
  expect(cost(Buffer.from([0, 8]))).toEqual({ cipher: aes256, bytes: 0 });
  expect(cost(argon2(3, 16))).toEqual({ cipher: aes256, bytes: 3 * 64 * 1024 * 1024 });
  expect(cost(argon2(1, 19))).toEqual({
    cipher: aes256,
    bytes: 0,
    refusal: 'a passphrase that takes 2^19 KiB of memory to try (Argon2): 256 MiB is the limit',
  });
});

test('the count of the largest code is 62 MiB and no less', () => {
  const largest = Buffer.from([4, aes256, 3, 8, ...salt.subarray(0, 8), 255]);
  expect(derivationOf(largest)).toEqual({ cipher: aes256, bytes: 65_011_712 });
});

test('what is cut short, or of an unknown version, costs nothing, as it is none', () => {
  const whole = Buffer.concat([Buffer.from([4, aes256]), iterated]);
  for (let bytes = 0; bytes < whole.length; bytes += 1) expect(derivationOf(whole.subarray(0, bytes))).toBeUndefined();
  const large = Buffer.concat([Buffer.from([4, aes256]), argon2(1, 10)]);
  for (let bytes = 2; bytes < large.length; bytes += 1) expect(derivationOf(large.subarray(0, bytes))).toBeUndefined();
  expect(derivationOf(Buffer.concat([Buffer.from([7, aes256]), iterated]))).toBeUndefined();
});
