import { describe, expect, test } from '@jest/globals';
import { readSettings } from '#src/settings/reader.js';
import { keyNames, wrappingNames } from '#src/settings/settings.js';
import { decryptionKeys, resolveWrapping } from '#src/settings/envelope-keys.js';

type Variables = Readonly<Record<string, string>>;
type Flags = Readonly<Record<string, unknown>>;

function resolve(env: Variables, flags: Flags = {}, opensInput = false) {
  const names = [...wrappingNames, ...keyNames, 'verify'] as const;
  const read = readSettings(names, { env, flags, dotenv: undefined, readFile: () => Buffer.from('-----BEGIN PGP …') });
  const wrapping = resolveWrapping(read, { opensInput });
  return { wrapping, faults: read.faults, keys: decryptionKeys(read.values) };
}

const secret = { BACKUP_PASSPHRASE: 'hunter2' };

describe('what is put around an archive', () => {
  test('is nothing by default', () => {
    expect(resolve({})).toEqual({ wrapping: {}, faults: [], keys: {} });
  });

  test('is encryption with a passphrase, which never shows', () => {
    const { wrapping, faults, keys } = resolve(secret, { encrypt: true, compress: 'zstd' });
    expect(faults).toEqual([]);
    expect(wrapping).toMatchObject({ compression: 'zstd', encryption: { passphrase: keys.passphrase } });
    expect(keys.passphrase?.reveal()).toBe('hunter2');
    expect(JSON.stringify({ wrapping, keys })).not.toContain('hunter2');
  });

  test('is encryption to keys, and the passphrase is that of the key for --verify', () => {
    const { wrapping, faults, keys } = resolve(secret, { 'encrypt-to': 'a', 'decrypt-key': 'b', verify: true });
    expect(faults).toEqual([]);
    expect(wrapping).toEqual({ encryption: { publicKeys: '-----BEGIN PGP …' } });
    expect(keys.privateKey?.reveal()).toBe('-----BEGIN PGP …');
  });

  test('is nothing with a passphrase and --no-encrypt', () => {
    expect(resolve(secret, { encrypt: false })).toMatchObject({ wrapping: {}, faults: [] });
  });

  test.each([
    [{}, { encrypt: true }, ['--encrypt needs --passphrase']],
    [{ BACKUP_PASSPHRASE: '' }, { encrypt: true }, ['--encrypt needs --passphrase']],
    [{}, { encrypt: true, passphrase: '' }, ['--passphrase must be given a value']],
    [secret, {}, ['a passphrase is given, but not --encrypt']],
    [secret, { 'encrypt-to': 'k' }, ['--passphrase and --encrypt-to contradict each other']],
    [{}, { 'encrypt-to': 'k', encrypt: false }, ['--no-encrypt contradicts --encrypt-to']],
    [{}, { 'encrypt-to': 'k', verify: true }, ['give --decrypt-key, too']],
    [{}, { 'decrypt-key': 'k' }, ['--decrypt-key is only for --verify']],
    [{}, { compress: 'lz4', encrypt: true }, ['--compress must be gzip or zstd', '--encrypt needs']],
  ] as const)('is refused with %j and %j', (env, flags, messages) => {
    expect(resolve(env, flags).faults).toEqual(messages.map((message) => expect.stringContaining(message) as unknown));
  });

  test('does not mind keys that are for an archive to read', () => {
    for (const flags of [{}, { 'decrypt-key': 'k' }, { 'decrypt-key': 'k', 'encrypt-to': 'k' }]) {
      expect(resolve(secret, flags, true).faults).toEqual([]);
    }
  });
});
