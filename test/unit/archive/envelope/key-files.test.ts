// Key files as people make them: several outputs of gpg in one, binary rings, keys that are locked, expired or no use.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKey, readPrivateKey, reformatKey, revokeKey } from 'openpgp';
import { prepareWrapping } from '#src/archive/envelope/envelope.js';
import { Secret } from '#src/base/secret.js';
import { armouredKeyRing } from '#src/model/envelope.js';
import { findGpg, noise, passphrase, unwrapBytes, wrapBytes } from '../../../support/archive/wrapped.js';

const plain = noise(10_000);
const user = (name: string) => ({ userIDs: { name, email: `${name}@example.org` } });
const make = (name: string, more = {}) => generateKey({ ...user(name), ...more, format: 'object' as const });
type Made = Awaited<ReturnType<typeof make>>;
const print = ({ publicKey }: Made): string => publicKey.getFingerprint().toUpperCase();

let ada: Made;
let bob: Made;
beforeAll(async () => {
  [ada, bob] = await Promise.all([make('ada'), make('bob')]);
});

const opensWith = async (bytes: Buffer, privateKey: string, more = {}): Promise<boolean> => {
  return (await unwrapBytes(bytes, { privateKey: new Secret(privateKey), ...more })).equals(plain);
};

/** What is said instead of encrypting. */
async function faultOf(publicKeys: string): Promise<string> {
  try {
    await prepareWrapping({ encryption: { publicKeys } });
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 2 });
    return (error as Error).message.replace('--encrypt-to: cannot encrypt to these keys: ', '');
  }
  return 'accepted';
}

describe('--encrypt-to', () => {
  test('takes every key of every block, and each owner opens what comes of it', async () => {
    const text = `${ada.publicKey.armor()}\nsome words\n${bob.publicKey.armor()}`;
    const prepared = await prepareWrapping({ encryption: { publicKeys: text } });
    expect(prepared.recipients).toEqual([print(ada), print(bob)]);
    const bytes = await wrapBytes(plain, { encryption: { publicKeys: text } });
    for (const pair of [ada, bob]) expect(await opensWith(bytes, pair.privateKey.armor())).toBe(true);
  });

  test('takes every key of a binary ring', async () => {
    const ring = Buffer.concat([ada, bob].map(({ publicKey }) => publicKey.write()));
    const publicKeys = armouredKeyRing(ring) ?? '';
    expect((await prepareWrapping({ encryption: { publicKeys } })).recipients).toEqual([print(ada), print(bob)]);
    const bytes = await wrapBytes(plain, { encryption: { publicKeys } });
    for (const pair of [ada, bob]) expect(await opensWith(bytes, pair.privateKey.armor())).toBe(true);
  });

  test('takes a key that is there twice once', async () => {
    const publicKeys = ada.publicKey.armor() + ada.publicKey.armor();
    expect((await prepareWrapping({ encryption: { publicKeys } })).recipients).toEqual([print(ada)]);
  });

  test('refuses what is unusable by name, whatever stands beside it', async () => {
    const past = new Date('2020-01-01T00:00:00Z');
    const expired = await make('expired', { date: past, keyExpirationTime: 3600 });
    const signing = await make('signing', { subkeys: [] });
    const revoked = await revokeKey({
      key: ada.publicKey,
      revocationCertificate: ada.revocationCertificate,
      format: 'object',
    });
    const with_ = (key: { armor: () => string }): string => bob.publicKey.armor() + key.armor();
    expect(await faultOf(with_(expired.publicKey))).toBe(`key ${print(expired)} expired 2020-01-01T01:00:00.000Z`);
    expect(await faultOf(with_(revoked.publicKey))).toBe(`key ${print(ada)} is revoked`);
    expect(await faultOf(with_(signing.publicKey))).toMatch(
      new RegExp(`^key ${print(signing)} has no valid subkey to encrypt to: `),
    );
    expect(await faultOf(with_(bob.privateKey))).toBe('it holds a private key, and only public keys are needed');
  });

  test('refuses a block that is cut short, holds no key, or one of a version that nobody knows', async () => {
    const text = ada.publicKey.armor();
    expect(await faultOf(text + bob.publicKey.armor().slice(0, -40))).toBe(
      '1 of its 2 blocks are not key blocks, or cut short',
    );
    expect(await faultOf(text + ada.revocationCertificate)).toBe('no key in it in block 2');
    const strange = Buffer.from(bob.publicKey.write());
    // Behind the head of the packet stands its version.
    strange.writeUInt8(7, 2);
    expect(await faultOf(text + (armouredKeyRing(strange) ?? ''))).toBe(
      'keys of an unknown version in it in block 2: 1',
    );
    const ring = Buffer.concat([ada.publicKey.write(), strange]);
    expect(await faultOf(armouredKeyRing(ring) ?? '')).toBe('keys of an unknown version in it: 1');
  });
});

describe('--decrypt-key', () => {
  test('tries every key of every block, locked ones only where they are asked for', async () => {
    const locked = await make('locked', { passphrase: passphrase.reveal() });
    const file = locked.privateKey.armor() + bob.privateKey.armor();
    const toBob = await wrapBytes(plain, { encryption: { publicKeys: bob.publicKey.armor() } });
    const toLocked = await wrapBytes(plain, { encryption: { publicKeys: locked.publicKey.armor() } });
    expect(await opensWith(toBob, file)).toBe(true);
    expect(await opensWith(toBob, file, { passphrase: new Secret('wrong') })).toBe(true);
    expect(await opensWith(toLocked, file, { passphrase })).toBe(true);
    await expect(opensWith(toLocked, file)).rejects.toMatchObject({
      exitCode: 2,
      message: `key ${print(locked)} of --decrypt-key is locked: give its passphrase as --passphrase`,
    });
    const toBoth = await wrapBytes(plain, {
      encryption: { publicKeys: locked.publicKey.armor() + bob.publicKey.armor() },
    });
    expect(await opensWith(toBoth, file)).toBe(true);
  });

  test('is a binary ring as well', async () => {
    const ring = armouredKeyRing(Buffer.concat([ada, bob].map(({ privateKey }) => privateKey.write()))) ?? '';
    expect(ring).toMatch(/^-----BEGIN PGP PRIVATE KEY BLOCK-----\n/);
    expect(await opensWith(await wrapBytes(plain, { encryption: { publicKeys: bob.publicKey.armor() } }), ring)).toBe(
      true,
    );
  });

  test('that has expired still opens what was encrypted before', async () => {
    const { privateKey } = await reformatKey({
      privateKey: await readPrivateKey({ armoredKey: bob.privateKey.armor() }),
      ...user('bob'),
      date: new Date(Date.now() - 7_200_000),
      keyExpirationTime: 3600,
      format: 'object',
    });
    const toBob = await wrapBytes(plain, { encryption: { publicKeys: bob.publicKey.armor() } });
    expect(await opensWith(toBob, privateKey.armor())).toBe(true);
  });
});

describe('stock gpg', () => {
  const gpg = findGpg();
  const withGpg = gpg === undefined ? test.skip : test;
  afterAll(() => gpg?.[Symbol.dispose]());

  withGpg('exports two keys together, armoured or not: each opens what is encrypted to both', async () => {
    for (const name of ['carol', 'dave']) {
      gpg?.run(['--quick-generate-key', `${name}@example.org`, 'future-default', 'default', 'never']);
    }
    const exported = (...args: string[]): Buffer => gpg?.run(args) ?? Buffer.alloc(0);
    const texts = ['carol', 'dave'].map((name) => exported('--armor', '--export', name).toString());
    const ring = armouredKeyRing(exported('--export')) ?? '';
    for (const publicKeys of [texts.join(''), ring]) {
      const bytes = await wrapBytes(plain, { encryption: { publicKeys } });
      for (const name of ['carol', 'dave']) {
        const secret = exported('--armor', '--export-secret-keys', name).toString();
        expect(await opensWith(bytes, secret, { passphrase })).toBe(true);
      }
    }
    // Subkeys alone, as a machine that only opens backups has them.
    const stub = exported('--export-secret-subkeys', 'carol');
    const toCarol = await wrapBytes(plain, { encryption: { publicKeys: texts[0] ?? '' } });
    expect(await opensWith(toCarol, armouredKeyRing(stub) ?? '', { passphrase })).toBe(true);
  });

  withGpg(
    'writes with a hidden recipient and with Camellia what we read, and other ciphers that we refuse by name',
    async () => {
      const hidden = gpg?.run(['--trust-model', 'always', '--hidden-recipient', 'dave', '--encrypt'], plain);
      const secret = gpg?.run(['--armor', '--export-secret-keys']).toString() ?? '';
      expect(await opensWith(hidden ?? Buffer.alloc(0), secret, { passphrase })).toBe(true);
      const camellia = gpg?.run(['--cipher-algo', 'CAMELLIA256', '--symmetric'], plain) ?? Buffer.alloc(0);
      expect((await unwrapBytes(camellia, { passphrase })).equals(plain)).toBe(true);
      for (const [option, name] of [
        ['BLOWFISH', 'Blowfish'],
        ['TWOFISH', 'Twofish'],
        ['CAST5', 'CAST5'],
      ] as const) {
        const other = gpg?.run(['--cipher-algo', option, '--symmetric'], plain) ?? Buffer.alloc(0);
        await expect(unwrapBytes(other, { passphrase })).rejects.toMatchObject({
          exitCode: 2,
          message: expect.stringContaining(`is encrypted with ${name}, which is not supported`) as unknown,
        });
      }
    },
  );
});
