import { describe, expect, test } from '@jest/globals';
import { readSettings, type SettingSources } from '#src/settings/reader.js';

const noSources: SettingSources = {
  flags: {},
  env: {},
  dotenv: undefined,
  readFile: (path) => {
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' });
  },
};

function password(sources: Partial<SettingSources>): { value: string | undefined; faults: string[] } {
  const { values, faults } = readSettings(['ucpPassword'], { ...noSources, ...sources });
  return { value: values.ucpPassword?.reveal(), faults };
}

describe('where a setting comes from', () => {
  const all: SettingSources = {
    flags: { 'ucp-password': 'flag' },
    env: { UCP_PASSWORD: 'env' },
    dotenv: 'UCP_PASSWORD=dotenv\n',
    readFile: () => Buffer.from('file\n'),
  };

  test('flag, then environment, then file, then .env', () => {
    expect(password(all).value).toBe('flag');
    expect(password({ ...all, flags: {} }).value).toBe('env');
    expect(password({ ...all, flags: {}, env: { UCP_PASSWORD_FILE: '/run/secrets/p' } }).value).toBe('file');
    expect(password({ ...all, flags: {}, env: {} }).value).toBe('dotenv');
    expect(password({}).value).toBeUndefined();
  });

  test('a file loses one newline at its end, and only that', () => {
    const read = (content: string): unknown => {
      const sources = { ...noSources, env: { UCP_USERNAME_FILE: '/n' }, readFile: () => Buffer.from(content) };
      return readSettings(['ucpUsername'], sources).values.ucpUsername;
    };
    expect(read(' first second \n\n')).toBe(' first second \n');
    expect(read('first\r\n')).toBe('first');
  });

  test('NAME and NAME_FILE together are a fault', () => {
    const { faults } = password({
      env: { UCP_PASSWORD: 'a', UCP_PASSWORD_FILE: '/p' },
      readFile: () => Buffer.from('b'),
    });
    expect(faults).toEqual(['UCP_PASSWORD and UCP_PASSWORD_FILE are both set: set one of them']);
  });

  test('a file that cannot be read is a fault that names the variable', () => {
    expect(password({ env: { UCP_PASSWORD_FILE: '/p' } }).faults).toEqual([
      'UCP_PASSWORD_FILE: cannot read the file it names (ENOENT)',
    ]);
  });

  test('an empty variable counts as unset', () => {
    expect(password({ env: { UCP_PASSWORD: '' }, dotenv: 'UCP_PASSWORD=dotenv' }).value).toBe('dotenv');
  });
});

describe('.env', () => {
  test.each([
    ['UCP_INSECURE_TLS=1', 'UCP_INSECURE_TLS in .env', '--ucp-insecure-tls'],
    ['UCP_CA=/tmp/ca.pem', 'UCP_CA in .env', '--ucp-ca'],
    ['MSR_RETHINKDB_CA_CERT_FILE=/tmp/ca.pem', 'MSR_RETHINKDB_CA_CERT_FILE in .env', '--rethinkdb-ca'],
    [
      'MSR_RETHINKDB_INSECURE_SKIP_VERIFY=1',
      'MSR_RETHINKDB_INSECURE_SKIP_VERIFY in .env',
      '--rethinkdb-insecure-skip-verify',
    ],
    ['MSR_ALLOW_UNPROVEN=1', 'MSR_ALLOW_UNPROVEN in .env', '--allow-unproven'],
    ['DTR_ENCRYPT=false', 'DTR_ENCRYPT in .env', '--encrypt'],
    ['DTR_ENCRYPT_TO=/tmp/key.asc', 'DTR_ENCRYPT_TO in .env', '--encrypt-to'],
    ['DTR_ALLOW_UNPROVEN=1', 'DTR_ALLOW_UNPROVEN in .env', '--allow-unproven'],
    ['DTR_ALLOW_CHANGED_FILE=/tmp/yes', 'DTR_ALLOW_CHANGED_FILE in .env', '--allow-changed'],
  ])('weakens no check: %s', (dotenv, origin, flag) => {
    const names = [
      'ucpInsecureTls',
      'ucpCa',
      'rethinkdbCa',
      'rethinkdbInsecureSkipVerify',
      'encrypt',
      'encryptTo',
      'allowUnproven',
      'allowChanged',
    ] as const;
    const { values, faults } = readSettings(names, { ...noSources, dotenv, readFile: () => Buffer.from('1') });
    expect(faults).toEqual([`${origin} is refused, because it would weaken a check: use ${flag}, or the environment`]);
    expect(Object.values(values).some(Boolean)).toBe(false);
  });

  test('does not matter for what flag or environment give', () => {
    const dotenv = 'UCP_INSECURE_TLS=1\n';
    const { values, faults } = readSettings(['ucpInsecureTls'], {
      ...noSources,
      dotenv,
      env: { UCP_INSECURE_TLS: 'no' },
    });
    expect([values.ucpInsecureTls, faults]).toEqual([false, []]);
  });

  test('is recognised as a source, and so is a file that it names', () => {
    const dotenv = 'UCP_URL=ucp.example\nUCP_PASSWORD_FILE=/p\nUCP_USERNAME=admin\n';
    const sources = { ...noSources, dotenv, env: { UCP_USERNAME: 'root' }, readFile: () => Buffer.from('hunter2') };
    const { inDotenv } = readSettings(['ucpUrl', 'ucpUsername', 'ucpPassword', 'ucpCa'], sources);
    expect([...inDotenv]).toEqual([
      ['ucpUrl', 'text'],
      ['ucpPassword', 'file'],
    ]);
  });
});

describe('values', () => {
  test.each([
    ['1', true],
    ['true', true],
    ['YES', true],
    ['0', false],
    ['false', false],
    ['no', false],
  ])('a boolean variable takes %s', (text, expected) => {
    const { values, faults } = readSettings(['ucpInsecureTls'], { ...noSources, env: { UCP_INSECURE_TLS: text } });
    expect([values.ucpInsecureTls, faults]).toEqual([expected, []]);
  });

  test('another word for a boolean is a fault', () => {
    const { faults } = readSettings(['ucpInsecureTls'], { ...noSources, env: { UCP_INSECURE_TLS: 'on' } });
    expect(faults).toEqual(['UCP_INSECURE_TLS must be one of 1, true, yes, 0, false, no']);
  });

  test.each([
    ['60', 60_000],
    ['0.5', 500],
    ['0.001', 1],
    ['999999.999', 999_999_999],
  ])('%s seconds are %d ms', (text, milliseconds) => {
    expect(readSettings(['readTimeout'], { ...noSources, env: { DTR_READ_TIMEOUT: text } }).values.readTimeout).toBe(
      milliseconds,
    );
  });

  test.each(['0', '0.000', '-1', '.5', '1e3', '1.0000', '1 s', 'Infinity'])('%s is no time', (text) => {
    const { faults } = readSettings(['readTimeout'], { ...noSources, env: { DTR_READ_TIMEOUT: text } });
    expect(faults).toEqual(['DTR_READ_TIMEOUT must be seconds, such as 60 or 0.5']);
  });

  test('a settle time shorter than the longest disorder seen of changes is a fault', () => {
    const read = (text: string) => readSettings(['settleTime'], { ...noSources, flags: { 'settle-time': text } });
    expect(read('0.1').values.settleTime).toBe(100);
    expect(read('0.09').faults).toEqual(['--settle-time must be seconds, 0.1 at least']);
  });

  test('a replica id stays a string', () => {
    const flags = { 'existing-replica-id': '012345678901' };
    expect(readSettings(['existingReplicaId'], { ...noSources, flags }).values.existingReplicaId).toBe('012345678901');
  });

  test.each(['abc', '01234567890', '0123456789abc', '0123456789ag'])('%s is no replica id', (id) => {
    const { faults } = readSettings(['existingReplicaId'], { ...noSources, env: { DTR_REPLICA_ID: id } });
    expect(faults).toEqual(['DTR_REPLICA_ID must be 12 hex digits']);
  });

  test('PEM comes as text or as a path', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';
    const readFile = (path: string): Buffer => Buffer.from(path === '/ca.pem' ? pem : 'no certificate');
    const read = (text: string) => readSettings(['ucpCa'], { ...noSources, readFile, flags: { 'ucp-ca': text } });
    expect(read(pem).values.ucpCa).toBe(pem);
    expect(read('/ca.pem').values.ucpCa).toBe(pem);
    expect(read('/other').faults).toEqual(['--ucp-ca must be PEM text or the path of a PEM file']);
  });

  test('a list takes every repetition and faults the bad ones', () => {
    const flags = { 'include-table': ['dtr2.tags', 'x.*', 'nodot'] };
    const { values, faults } = readSettings(['includeTable'], { ...noSources, flags });
    expect(values.includeTable.slice(0, 2)).toEqual([
      { database: 'dtr2', name: 'tags' },
      { database: 'x', name: '*' },
    ]);
    expect(faults).toEqual(['--include-table must be DB.TABLE or DB.*']);
  });

  test('a flag given twice is a fault', () => {
    expect(password({ flags: { 'ucp-password': ['a', 'b'] } }).faults).toEqual([
      '--ucp-password is given more than once',
    ]);
  });

  test('no fault shows a value', () => {
    const env = { DTR_REPLICA_ID: 'hunter2', UCP_URL: 'hunter2 hunter2', DTR_VERSION: 'hunter2' };
    const { faults } = readSettings(['existingReplicaId', 'ucpUrl', 'dtrVersion'], { ...noSources, env });
    expect(faults.length).toBeGreaterThan(1);
    expect(faults.join()).not.toContain('hunter2');
  });

  test('nor does one about a file, whose name may be the secret put in the wrong place', () => {
    const env = { UCP_PASSWORD_FILE: 'hunter2', MSR_RETHINKDB_CLIENT_KEY_FILE: 'BEGIN PRIVATE KEY hunter2' };
    const { faults } = readSettings(['ucpPassword', 'rethinkdbClientKey'], { ...noSources, env });
    expect(faults).toEqual([
      'UCP_PASSWORD_FILE: cannot read the file it names (ENOENT)',
      'MSR_RETHINKDB_CLIENT_KEY_FILE: cannot read the file it names (ENOENT)',
    ]);
  });
});
