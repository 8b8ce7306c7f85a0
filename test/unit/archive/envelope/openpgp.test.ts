// Messages, keys and passphrases that others make: each opened, or refused in one line that says why.
import { describe, expect, test } from '@jest/globals';
import { createMessage, encrypt, enums, generateKey, readKeys, type Key } from 'openpgp';
import { prepareWrapping } from '#src/archive/envelope/envelope.js';
import { Secret } from '#src/base/secret.js';
import { noise, passphrase, unwrapBytes, wrapBytes } from '../../../support/archive/wrapped.js';

const plain = noise(100_000);
const users = { userIDs: { name: 'Backup', email: 'backup@example.org' } };
const keyPair = await generateKey(users);
const ours = await wrapBytes(plain, { encryption: { publicKeys: keyPair.publicKey } });

/** A packet of new form. */
function packet(tag: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xc0 | tag, 0xff, 0, 0, body.length >> 8, body.length & 0xff]), body]);
}

/** As gpg begins a message for a passphrase: the session key is what the salted, repeated SHA-256 of it gives. */
function passphrasePacket(cipher: number): Buffer {
  return packet(3, Buffer.from([4, cipher, 3, 8, ...Buffer.alloc(8, 's'), 0x60]));
}
const protectedData = (bytes: number): Buffer => packet(18, Buffer.concat([Buffer.from([1]), noise(bytes)]));

const aes256 = 9;
const wrongPassphrase = 'memory is encrypted with another passphrase (or damaged where it begins)';
const cutShort = { name: 'DamagedInputError', message: 'is cut short: it is encrypted, and its end is missing' };

function failureOf(...args: Parameters<typeof unwrapBytes>): Promise<unknown> {
  return unwrapBytes(...args).then(
    () => 'accepted',
    (error: unknown) => error,
  );
}

describe('a private key', () => {
  test('that is not locked opens what was encrypted to it, whatever passphrase is given beside it', async () => {
    const privateKey = new Secret(keyPair.privateKey);
    expect((await unwrapBytes(ours, { privateKey })).equals(plain)).toBe(true);
    expect((await unwrapBytes(ours, { privateKey, passphrase })).equals(plain)).toBe(true);
  });

  test('that is locked opens it with its passphrase only', async () => {
    const pair = await generateKey({ ...users, passphrase: passphrase.reveal() });
    const toIt = await wrapBytes(plain, { encryption: { publicKeys: pair.publicKey } });
    const privateKey = new Secret(pair.privateKey);
    expect((await unwrapBytes(toIt, { privateKey, passphrase })).equals(plain)).toBe(true);
    expect(await failureOf(toIt, { privateKey })).toMatchObject({
      exitCode: 2,
      message: '--decrypt-key is locked: give its passphrase as --passphrase',
    });
    expect(await failureOf(toIt, { privateKey, passphrase: new Secret('wrong') })).toMatchObject({
      exitCode: 2,
      message: '--decrypt-key is locked with another passphrase than --passphrase',
    });
  });

  test('of somebody else is told', async () => {
    const { privateKey } = await generateKey(users);
    expect(await failureOf(ours, { privateKey: new Secret(privateKey) })).toMatchObject({
      exitCode: 2,
      message: 'memory is encrypted to another key than --decrypt-key',
    });
  });
});

test('only a public key can be encrypted to, only a private one decrypts', async () => {
  for (const publicKeys of ['no key', keyPair.privateKey, keyPair.revocationCertificate]) {
    await expect(prepareWrapping({ encryption: { publicKeys } })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^--encrypt-to: cannot encrypt to these keys: /) as unknown,
    });
  }
  for (const text of ['no key', keyPair.publicKey, keyPair.revocationCertificate]) {
    expect(await failureOf(ours, { privateKey: new Secret(text) })).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^--decrypt-key: no private key in it: /) as unknown,
    });
  }
});

describe('a message as gpg makes it for a passphrase', () => {
  test.each([
    ['AES-128', 7],
    ['AES-192', 8],
    ['AES-256', aes256],
    ['3DES', 2],
    ['Camellia-256', 13],
  ])('with %s and of another passphrase is refused before it is read', async (_name, cipher) => {
    const bytes = Buffer.concat([passphrasePacket(cipher), protectedData(1000)]);
    expect(await failureOf(bytes, { passphrase })).toMatchObject({ exitCode: 2, message: wrongPassphrase });
  });

  test.each([
    ['CAST5', 3],
    ['Blowfish', 4],
    ['Twofish', 10],
    ['cipher 99', 99],
  ])('with %s is refused by the name of the cipher', async (name, cipher) => {
    const bytes = Buffer.concat([passphrasePacket(cipher), protectedData(1000)]);
    expect(await failureOf(bytes, { passphrase })).toMatchObject({
      exitCode: 2,
      message: `memory is encrypted with ${name}, which is not supported: decrypt it with gpg --decrypt first`,
    });
  });

  test.each([0, 4, 17])('and that has but %d bytes of data is cut short', async (count) => {
    const bytes = Buffer.concat([passphrasePacket(aes256), protectedData(count)]);
    for (const chunkBytes of [1, 65_536])
      expect(await failureOf(bytes, { passphrase }, chunkBytes)).toMatchObject(cutShort);
  });

  test('without its data is cut short, without its session key damaged', async () => {
    expect(await failureOf(passphrasePacket(aes256), { passphrase })).toMatchObject(cutShort);
    expect(await failureOf(protectedData(1000), { passphrase })).toMatchObject({
      name: 'DamagedInputError',
      message: 'is damaged OpenPGP data: no session key in it',
    });
  });
});

describe('a message of the newer kind (AEAD), which others make', () => {
  async function encryptAead(
    to: { readonly passwords: string } | { readonly encryptionKeys: Key[] },
    mode: 'gcm' | 'ocb' | 'eax',
  ): Promise<Buffer> {
    const message = await createMessage({ binary: plain });
    const config = { aeadProtect: true, preferredAEADAlgorithm: enums.aead[mode] };
    // Bytes in, bytes out, which its types do not tell.
    return Buffer.from((await encrypt({ message, ...to, format: 'binary', config })) as unknown as Uint8Array);
  }

  test.each(['gcm', 'ocb', 'eax'] as const)('is opened with its passphrase, and refused when cut: %s', async (mode) => {
    const bytes = await encryptAead({ passwords: passphrase.reveal() }, mode);
    expect((await unwrapBytes(bytes, { passphrase })).equals(plain)).toBe(true);
    expect(await failureOf(bytes, { passphrase: new Secret('wrong') })).toMatchObject({
      exitCode: 2,
      message: wrongPassphrase,
    });
    expect(await failureOf(bytes.subarray(0, -5), { passphrase })).toMatchObject(cutShort);
  });

  test('is opened with its private key', async () => {
    const pair = await generateKey({ ...users, config: { v6Keys: true, aeadProtect: true } });
    const bytes = await encryptAead({ encryptionKeys: await readKeys({ armoredKeys: pair.publicKey }) }, 'ocb');
    expect((await unwrapBytes(bytes, { privateKey: new Secret(pair.privateKey) })).equals(plain)).toBe(true);
  });
});
