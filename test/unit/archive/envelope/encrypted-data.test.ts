// How the data of a message is encrypted, and what of that is refused before any of it is decrypted.
import { describe, expect, test } from '@jest/globals';
import { openData, type EncryptedData } from '#src/archive/envelope/encrypted-data.js';
import { noise } from '../../../support/archive/wrapped.js';

const [aes256, camellia256, twofish] = [9, 13, 10];
const [eax, ocb, gcm] = [1, 2, 3];

function open(tag: number, ...parts: readonly (Buffer | readonly number[])[]): Promise<EncryptedData> {
  const data = ReadableStream.from(parts.map((part) => Buffer.from(part)));
  return openData({ dataTag: tag, data }, 'a.tar');
}

async function bytesOf({ body }: EncryptedData): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body.rest()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('data', () => {
  test('with an MDC keep their first bytes, which tell a wrong key', async () => {
    const data = noise(40);
    const head = await open(18, [1], data);
    expect(head).toMatchObject({ kind: 'mdc', prefix: data.subarray(0, 18) });
    expect(await bytesOf(head)).toEqual(data);
  });

  test('under AEAD (RFC 9580) have a salt', async () => {
    const salt = noise(32);
    const head = await open(18, [2, aes256, gcm, 10], salt, [1, 2, 3]);
    const expected = {
      kind: 'aead',
      isPacket20: false,
      start: salt,
      mode: 'gcm',
      chunkBytes: 65_536,
      bound: Buffer.from([0xd2, 2, 9, 3, 10]),
    };
    expect(head).toMatchObject({ ...expected, cipher: { name: 'AES-256' } });
    expect(await bytesOf(head)).toEqual(Buffer.from([1, 2, 3]));
  });

  test.each([
    [eax, 'eax', 16],
    [ocb, 'ocb', 15],
    [100, 'gcm', 12],
  ])('under AEAD as GnuPG has it (mode %d) have a nonce', async (id, mode, bytes) => {
    const head = await open(20, [1, aes256, id, 16], noise(16));
    expect(head).toMatchObject({
      kind: 'aead',
      isPacket20: true,
      start: noise(16).subarray(0, bytes),
      mode,
      chunkBytes: 4_194_304,
    });
  });
});

const first = 'decrypt it with gpg --decrypt first';

test.each([
  ['another version with an MDC', 18, [3], 'is encrypted in a format that is not supported (packet 18, version 3)'],
  ['another version of packet 20', 20, [2], 'is encrypted in a format that is not supported (packet 20, version 2)'],
  ['a mode of no name', 20, [1, aes256, 4, 10], 'is encrypted in AEAD mode 4, which is not supported'],
  ['Camellia', 20, [1, camellia256, ocb, 10], 'is encrypted with Camellia-256, which is not supported'],
  ['Twofish', 18, [2, twofish, ocb, 10], 'is encrypted with Twofish, which is not supported'],
  ['a cipher of no name', 18, [2, 99, ocb, 10], 'is encrypted with cipher 99, which is not supported'],
  [
    'chunks too large to hold',
    20,
    [1, aes256, ocb, 17],
    'is encrypted in chunks of 8388608 bytes, and 4194304 (--chunk-size 22) is the limit',
  ],
])('%s is refused', async (_what, tag, octets, why) => {
  await expect(open(tag, octets, noise(40))).rejects.toMatchObject({ exitCode: 2, message: `a.tar ${why}: ${first}` });
});

test('data without protection against alteration is refused', async () => {
  await expect(open(9, noise(40))).rejects.toMatchObject({
    name: 'DamagedInputError',
    message: 'is encrypted without protection against alteration (no MDC), so it cannot be verified',
  });
});

test.each([
  ['before their version', 18, []],
  ['in their first bytes', 18, [1, ...noise(17)]],
  ['in what says how', 20, [1, aes256, ocb]],
  ['in their nonce', 20, [1, aes256, ocb, 10, ...noise(14)]],
  ['in their salt', 18, [2, aes256, ocb, 10, ...noise(31)]],
])('data that end %s are cut short', async (_where, tag, octets) => {
  await expect(open(tag, octets)).rejects.toMatchObject({
    name: 'DamagedInputError',
    message: 'is cut short: it is encrypted, and its end is missing',
  });
});
