// What the reader makes of settings that docker/dtr has under two names, or that only its former versions had.
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

describe('DTR_NAME and MSR_NAME', () => {
  const read = (sources: Partial<SettingSources>) => {
    const { values, faults } = readSettings(['existingReplicaId', 'offlineBackup'], { ...noSources, ...sources });
    return { ...values, faults };
  };
  const [one, other] = ['0a1b2c3d4e5f', 'ffffffffffff'];

  test.each<[string, Partial<SettingSources>]>([
    ['the newer', { env: { MSR_REPLICA_ID: one } }],
    ['the newer as a file', { env: { MSR_REPLICA_ID_FILE: '/id' }, readFile: () => Buffer.from(`${one}\n`) }],
    ['the newer in .env', { dotenv: `MSR_REPLICA_ID=${one}\n` }],
    ['both alike', { env: { DTR_REPLICA_ID: one, MSR_REPLICA_ID: one } }],
    ['an empty one beside it', { env: { DTR_REPLICA_ID: '', MSR_REPLICA_ID: one } }],
    ['the environment before .env', { env: { MSR_REPLICA_ID: one }, dotenv: `DTR_REPLICA_ID=${other}\n` }],
    [
      'a flag before both',
      { flags: { 'existing-replica-id': one }, env: { DTR_REPLICA_ID: 'x', MSR_REPLICA_ID: 'y' } },
    ],
  ])('name one setting: %s', (_what, sources) => {
    expect(read(sources)).toEqual({ existingReplicaId: one, offlineBackup: false, faults: [] });
  });

  test('are a fault where they differ', () => {
    const env = { DTR_REPLICA_ID: one, MSR_REPLICA_ID_FILE: '/id', DTR_OFFLINE_BACKUP: '1', MSR_OFFLINE_BACKUP: 'no' };
    expect(read({ env, readFile: () => Buffer.from(other) })).toEqual({
      existingReplicaId: undefined,
      offlineBackup: undefined,
      faults: [
        'DTR_REPLICA_ID and MSR_REPLICA_ID_FILE differ: set one of them',
        'DTR_OFFLINE_BACKUP and MSR_OFFLINE_BACKUP differ: set one of them',
      ],
    });
    expect(read({ dotenv: `DTR_REPLICA_ID=${one}\nMSR_REPLICA_ID=${other}\n` }).faults).toEqual([
      'DTR_REPLICA_ID in .env and MSR_REPLICA_ID in .env differ: set one of them',
    ]);
  });

  test('of a switch may be spelled in two ways', () => {
    const { offlineBackup, faults } = read({ env: { DTR_OFFLINE_BACKUP: 'true', MSR_OFFLINE_BACKUP: '1' } });
    expect({ offlineBackup, faults }).toEqual({ offlineBackup: true, faults: [] });
  });

  test('exist for all variables of DTR', () => {
    const { MSR_COMPRESS, ...rest } = { MSR_COMPRESS: 'gzip', DTR_UCP_URL: 'ucp', MSR_UCP_URL: 'ucp' };
    const { values } = readSettings(['compress', 'ucpUrl'], { ...noSources, env: { MSR_COMPRESS, ...rest } });
    expect(values).toEqual({ compress: 'gzip', ucpUrl: undefined });
  });
});

describe('a flag of a former docker/dtr', () => {
  const read = (flags: Readonly<Record<string, unknown>>) => {
    const names = ['hubUsername', 'hubPassword', 'enziInsecureTls', 'configOnly'] as const;
    const { faults, warnings } = readSettings(names, { ...noSources, flags });
    return { faults, warnings };
  };

  test('without effect is accepted with any value, and named in a warning that does not show it', () => {
    const flags = { 'hub-username': '', 'hub-password': ['hunter2', 'hunter2'], 'enzi-insecure-tls': true };
    expect(read(flags)).toEqual({
      faults: [],
      warnings: [
        '--hub-username has no effect: this job pulls no image',
        '--hub-password has no effect: this job pulls no image',
        '--enzi-insecure-tls has no effect: this job signs in to UCP itself',
      ],
    });
  });

  test('that would leave out the database is refused, and the fault says what to do instead', () => {
    const { faults } = read({ 'config-only': true });
    expect(faults).toEqual([expect.stringMatching(/^--config-only is refused: .*restore --table dtr2\.properties/)]);
    expect(read({ 'config-only': false })).toEqual({ faults: [], warnings: [] });
  });
});
