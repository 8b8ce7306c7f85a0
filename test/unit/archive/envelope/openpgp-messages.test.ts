// OpenPGP messages of GnuPG 2.3 and later, what stands behind a message, and session keys made to cost time and memory.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createMessage, encrypt, enums, generateKey, readKeys } from 'openpgp';
import { limits } from '#src/archive/envelope/limits.js';
import { Secret } from '#src/base/secret.js';
import {
  aes256,
  gnupg24Message,
  literal,
  packet,
  sessionKeyPacket,
  specifier,
} from '../../../support/archive/packets.js';
import { noise, passphrase, unwrapBytes, wrapBytes } from '../../../support/archive/wrapped.js';
import { scaled, someOf } from '../../../support/scale.js';

const plain = noise(100_000);
const protectedData = packet(18, Buffer.from([1]), noise(1000));

function failureOf(...args: Parameters<typeof unwrapBytes>): Promise<unknown> {
  return unwrapBytes(...args).then(
    () => 'accepted',
    (error: unknown) => error,
  );
}
const damaged = (message: string): unknown => expect.objectContaining({ name: 'DamagedInputError', message });
const refused = (message: string): unknown =>
  expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) as unknown });

describe('a message of GnuPG 2.4 (OCB, packet 20)', () => {
  // A literal packet has 12 bytes of its own: these stand at the ends of chunks of 64 bytes, and around them.
  test.each([0, 1, 51, 52, 53, 115, 116, 117, 1000])('with %d bytes in chunks of 64 comes back', async (bytes) => {
    const message = gnupg24Message(literal(plain.subarray(0, bytes)), 0);
    for (const chunkBytes of [1, 100, 65_536]) {
      expect((await unwrapBytes(message, { passphrase }, chunkBytes)).equals(plain.subarray(0, bytes))).toBe(true);
    }
  });

  test('with 4 MiB chunks, its default, comes back', async () => {
    const large = randomBytes(9_000_000);
    expect((await unwrapBytes(gnupg24Message(literal(large)), { passphrase })).equals(large)).toBe(true);
  });

  test('of another passphrase is refused', async () => {
    const wrong = { passphrase: new Secret('wrong') };
    expect(await failureOf(gnupg24Message(literal(plain)), wrong)).toEqual(refused('with another passphrase'));
  });

  test('cut or altered anywhere is refused', async () => {
    const message = gnupg24Message(literal(plain.subarray(0, 500)), 0);
    for (let place = 8; place < message.length; place += scaled(35, 7)) {
      expect(await failureOf(message.subarray(0, place), { passphrase })).toMatchObject({ name: 'DamagedInputError' });
      const altered = Buffer.from(message);
      altered.writeUInt8(altered.readUInt8(place) ^ 1, place);
      expect({ place, outcome: await failureOf(altered, { passphrase }) }).not.toEqual({ place, outcome: 'accepted' });
    }
  });

  test('without its last chunks is refused, though each of the others is good', async () => {
    const head = gnupg24Message(literal(plain.subarray(0, 500)), 0);
    const start = head.length - (512 + 8 * 16 + 16);
    const shorter = Buffer.concat([head.subarray(0, start + 80 * 4), head.subarray(-16)]);
    shorter.writeUInt32BE(shorter.length - 0x4f - 6, 0x4f + 2);
    expect(await failureOf(shorter, { passphrase })).toMatchObject({ name: 'DamagedInputError' });
  });

  test('whose chunks are too large to hold is refused by the limit', async () => {
    const message = gnupg24Message(literal(plain), 17);
    expect(await failureOf(message, { passphrase })).toEqual(
      refused('is encrypted in chunks of 8388608 bytes, and 4194304 (--chunk-size 22) is the limit'),
    );
  });
});

describe('what stands behind a message is refused', () => {
  const encryption = { passphrase };
  const armour = (bytes: Buffer): string => {
    const lines = bytes.toString('base64').replaceAll(/.{64}/g, '$&\n');
    return `-----BEGIN PGP MESSAGE-----\nComment: none\n\n${lines}\n=AAAA\n-----END PGP MESSAGE-----\n`;
  };
  const behind = 'has trailing bytes after its OpenPGP message';
  let ours: Buffer;
  beforeAll(async () => {
    ours = await wrapBytes(plain, { encryption });
  });

  test.each([
    ['a zero byte', (): Buffer => Buffer.alloc(1)],
    ['a megabyte of zeros', (): Buffer => Buffer.alloc(1_000_000)],
    ['text', (): Buffer => Buffer.from('\n')],
    ['a marker packet', (): Buffer => packet(10, Buffer.from('PGP'))],
    ['padding', (): Buffer => packet(21, noise(10))],
    ['a packet that may be passed over', (): Buffer => packet(60, noise(10))],
    ['the message again', (message: Buffer): Buffer => message],
  ])('%s', async (_what, more) => {
    for (const message of [ours, gnupg24Message(literal(plain))]) {
      const longer = Buffer.concat([message, more(message)]);
      for (const chunkBytes of someOf([longer.length, message.length, 1000], 3, longer.length)) {
        expect(await failureOf(longer, { passphrase }, chunkBytes)).toEqual(damaged(behind));
      }
    }
  });

  test('text, or the message again, behind armour', async () => {
    const text = armour(ours);
    const windows = text.replaceAll('\n', '\r\n');
    const long = text.replaceAll(/(.{64})\n/g, '$1').replaceAll(/[A-Za-z0-9+/]{75}(?=[A-Za-z0-9+/])/g, '$&\n');
    for (const good of [text, `${text}\n \r\n`, windows, long]) {
      expect((await unwrapBytes(Buffer.from(good), { passphrase }, 999)).equals(plain)).toBe(true);
    }
    for (const more of ['x', text, 'gpg: done\n']) {
      const found = await failureOf(Buffer.from(`${text}${more}`), { passphrase });
      expect(found).toEqual(damaged('has trailing bytes after its OpenPGP armour'));
    }
    expect(await failureOf(Buffer.from(text.slice(0, -40)), { passphrase })).toMatchObject({
      name: 'DamagedInputError',
    });
    const spoilt = Buffer.from(text.replace(/\n([A-Za-z0-9+/]{64})\n/, '\n$1 \u00e4\n'));
    expect(await failureOf(spoilt, { passphrase })).toEqual(
      damaged('is damaged OpenPGP armour: it has a line that is not base64'),
    );
  });

  test('a second file inside the message', async () => {
    const two = Buffer.concat([literal(plain), literal(plain)]);
    expect(await failureOf(gnupg24Message(two), { passphrase })).toMatchObject({ name: 'DamagedInputError' });
  });
});

describe('session keys', () => {
  const argon2 = (passes: number, exponent: number): Buffer => {
    return Buffer.from([4, ...Buffer.alloc(16, 's'), passes, 4, exponent]);
  };
  const toPassphrase = (s2k: Buffer): Buffer => packet(3, Buffer.from([4, aes256]), s2k, noise(33));

  test.each([
    ['200 of the largest count', Array.from({ length: 200 }, () => toPassphrase(specifier(255))), 'more than 8'],
    [
      '60 of 2 GiB each (Argon2)',
      Array.from({ length: 60 }, () => toPassphrase(argon2(1, 21))),
      '256 MiB is the limit',
    ],
    ['one of 255 passes (Argon2)', [toPassphrase(argon2(255, 18))], 'more than 2147483648 bytes to process'],
  ])('%s are refused before they cost anything to speak of', async (_what, packets, limit) => {
    const started = process.cpuUsage();
    const bytesBefore = process.memoryUsage().rss;
    const failure = await failureOf(Buffer.concat([...packets, protectedData]), { passphrase });
    const { user, system } = process.cpuUsage(started);
    expect(failure).toEqual(refused(limit));
    expect((user + system) / 1e6).toBeLessThan(10);
    expect(process.memoryUsage().rss - bytesBefore).toBeLessThan(500_000_000);
  });

  test('before the data are limited in bytes', async () => {
    const many = Buffer.alloc(limits.maxSessionKeyBytes + 1000, packet(10, noise(1000)));
    const first = toPassphrase(specifier(0));
    expect(await failureOf(Buffer.concat([first, many]), { passphrase })).toEqual(
      damaged(`has more than ${limits.maxSessionKeyBytes} bytes before its encrypted data`),
    );
    const huge = Buffer.concat([first, Buffer.from([0xc1, 0xff, 0xff, 0xff, 0xff, 0xff])]);
    expect(await failureOf(huge, { passphrase })).toMatchObject({ name: 'DamagedInputError' });
  });

  test('that cannot be read are passed over where another fits', async () => {
    const ours = await wrapBytes(plain, { encryption: { passphrase } });
    const others = [argon2(1, 31), specifier(0)].map(toPassphrase);
    const unknown = packet(3, Buffer.from([9, aes256]), noise(10));
    expect((await unwrapBytes(Buffer.concat([...others, unknown, ours]), { passphrase })).equals(plain)).toBe(true);
  });

  test('that name a cipher by chance, as under another passphrase, are told as that', async () => {
    const twofish = 10;
    const message = Buffer.concat([sessionKeyPacket(twofish, noise(32)), protectedData]);
    expect(await failureOf(message, { passphrase })).toEqual(refused('is encrypted with another passphrase'));
  });

  test('of Argon2 as others use it open the message', async () => {
    const message = await createMessage({ binary: plain });
    // Much less work than is usual.
    const s2kArgon2Params = { passes: 1, parallelism: 4, memoryExponent: 12 };
    const aead = { aeadProtect: true, preferredAEADAlgorithm: enums.aead.ocb };
    const config = { ...aead, s2kType: enums.s2k.argon2, s2kArgon2Params } as const;
    const to = { passwords: passphrase.reveal() };
    const bytes = Buffer.from((await encrypt({ message, ...to, format: 'binary', config })) as unknown as Uint8Array);
    expect((await unwrapBytes(bytes, { passphrase })).equals(plain)).toBe(true);
  });

  test('for a passphrase and for a key: either opens it, whatever is given beside it', async () => {
    const users = { userIDs: { name: 'Backup', email: 'backup@example.org' } };
    const [ours, other] = await Promise.all([generateKey(users), generateKey(users)]);
    const toKey = await wrapBytes(plain, { encryption: { publicKeys: ours.publicKey } });
    const message = await createMessage({ binary: plain });
    const both = { passwords: passphrase.reveal(), encryptionKeys: await readKeys({ armoredKeys: ours.publicKey }) };
    const bytes = Buffer.from((await encrypt({ message, ...both, format: 'binary' })) as unknown as Uint8Array);
    const right = new Secret(ours.privateKey);
    const wrong = new Secret(other.privateKey);
    for (const keys of [
      { passphrase, privateKey: wrong },
      { privateKey: right, passphrase: new Secret('wrong') },
    ]) {
      expect((await unwrapBytes(bytes, keys)).equals(plain)).toBe(true);
    }
    expect(await failureOf(bytes, { passphrase: new Secret('wrong'), privateKey: wrong })).toMatchObject({
      exitCode: 2,
      message:
        'memory is encrypted to another key than --decrypt-key; ' +
        'memory is encrypted with another passphrase (or damaged where it begins)',
    });
    expect(await failureOf(toKey, { passphrase })).toEqual(refused('memory is encrypted: give --decrypt-key'));
  });
});
