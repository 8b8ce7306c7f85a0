import { describe, expect, test } from '@jest/globals';
import { readSettings } from '#src/settings/reader.js';
import { commandSettings } from '#src/settings/settings.js';
import { resolveOutput } from '#src/settings/resolve.js';

type Variables = Readonly<Record<string, string>>;
type Flags = Readonly<Record<string, unknown>>;

function resolve(env: Variables, flags: Flags = {}, opensInput = false) {
  const readFile = () => Buffer.from('-----BEGIN PGP …');
  const read = readSettings(commandSettings.convert, { env, flags, dotenv: undefined, readFile });
  return { ...resolveOutput(read, { opensInput }), faults: read.faults };
}

const secret = { BACKUP_PASSPHRASE: 'hunter2' };

describe('what wraps an archive', () => {
  test('is nothing by default', () => {
    expect(resolve({})).toEqual({ target: { kind: 'stdout' }, wrapping: {}, faults: [], keys: {} });
  });

  test('is encryption with a passphrase, which never shows', () => {
    const { wrapping, faults, keys } = resolve(secret, { encrypt: true, compress: 'zstd' });
    expect(faults).toEqual([]);
    expect(wrapping).toMatchObject({ compression: 'zstd', encryption: { passphrase: keys.passphrase } });
    expect(keys.passphrase?.reveal()).toBe('hunter2');
    expect(JSON.stringify({ wrapping, keys })).not.toContain('hunter2');
  });

  test('is encryption to keys, and the passphrase is that of the key for --verify', () => {
    const { wrapping, faults, keys } = resolve(secret, {
      ...{ 'encrypt-to': 'a', 'decrypt-key': 'b' },
      ...{ verify: true, output: 'a.tar' },
    });
    expect(faults).toEqual([]);
    expect(wrapping).toEqual({ encryption: { publicKeys: '-----BEGIN PGP …' } });
    expect(keys.privateKey?.reveal()).toBe('-----BEGIN PGP …');
  });

  test('is nothing with a passphrase and --no-encrypt', () => {
    expect(resolve(secret, { encrypt: false })).toMatchObject({ wrapping: { encryption: undefined }, faults: [] });
  });

  test.each([
    [{}, { encrypt: true }, ['--encrypt needs --passphrase']],
    [{ BACKUP_PASSPHRASE: '' }, { encrypt: true }, ['--encrypt needs --passphrase']],
    [{}, { encrypt: true, passphrase: '' }, ['--passphrase must be given a value']],
    [secret, {}, ['a passphrase is given without --encrypt']],
    [secret, { 'encrypt-to': 'k' }, ['--passphrase and --encrypt-to contradict each other']],
    [{}, { 'encrypt-to': 'k', encrypt: false }, ['--no-encrypt contradicts --encrypt-to']],
    [{}, { 'encrypt-to': 'k', verify: true, output: 'a.tar' }, ['also give --decrypt-key']],
    [{}, { 'decrypt-key': 'k' }, ['--decrypt-key is only for --verify']],
    [{}, { compress: 'lz4', encrypt: true }, ['--compress must be gzip or zstd', '--encrypt needs']],
  ] as const)('is refused with %j and %j', (env, flags, messages) => {
    expect(resolve(env, flags).faults).toEqual(messages.map((message) => expect.stringContaining(message) as unknown));
  });

  test('accepts keys for an archive that is read', () => {
    for (const flags of [{}, { 'decrypt-key': 'k' }, { 'decrypt-key': 'k', 'encrypt-to': 'k' }]) {
      expect(resolve(secret, flags, true).faults).toEqual([]);
    }
  });
});

describe('where an archive goes', () => {
  test.each([
    [{}, { kind: 'stdout' }],
    [{ output: '-' }, { kind: 'stdout' }],
    [
      { output: 'a.tar', force: true },
      { kind: 'stored', place: { kind: 'file', path: 'a.tar' }, verify: false, force: true },
    ],
    [
      { output: 'a.tar', verify: true },
      { kind: 'stored', place: { kind: 'file', path: 'a.tar' }, verify: true, force: false },
    ],
  ])('%j', (flags, target) => {
    expect(resolve({}, flags)).toMatchObject({ target, faults: [] });
  });

  test.each([{ verify: true }, { verify: true, output: '-' }])('stdout cannot be read back: %j', (flags) => {
    expect(resolve({}, flags).faults).toEqual([expect.stringContaining('--verify is for --output FILE')]);
  });
});
