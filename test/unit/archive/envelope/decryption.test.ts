// Messages with nothing in them that a passphrase could open, and of what is in them something else than one file.
import { expect, test } from '@jest/globals';
import { aes256, gnupg24Message, packet, specifier } from '../../../support/archive/packets.js';
import { noise, passphrase, unwrapBytes } from '../../../support/archive/wrapped.js';

const protectedData = packet(18, Buffer.from([1]), noise(1000));
const toPassphrase = packet(3, Buffer.from([4, aes256]), specifier(0));

test.each([
  ['no session key', [protectedData], 'is damaged OpenPGP data: no session key in it'],
  [
    'session keys of unknown versions alone',
    [packet(3, Buffer.from([4])), packet(3, Buffer.from([9, aes256]), noise(10)), protectedData],
    'is damaged OpenPGP data: no session key in it can be read',
  ],
  [
    'a packet of something else before its data',
    [toPassphrase, packet(11, noise(10)), protectedData],
    'is damaged OpenPGP data: a packet of type 11 before the encrypted data',
  ],
  [
    'a session key of unknown length',
    [toPassphrase, Buffer.from([0xc3, 0xe9]), noise(512), protectedData],
    'is damaged OpenPGP data: a session key of unknown length',
  ],
])('a message with %s is damaged', async (_what, parts, message) => {
  await expect(unwrapBytes(Buffer.concat(parts), { passphrase })).rejects.toMatchObject({
    name: 'DamagedInputError',
    message,
  });
});

test('a message without a file in it is damaged', async () => {
  const empty = gnupg24Message(packet(10, Buffer.from('PGP')));
  await expect(unwrapBytes(empty, { passphrase })).rejects.toMatchObject({
    name: 'DamagedInputError',
    message: expect.stringMatching(/^is damaged OpenPGP data: /) as unknown,
  });
});
