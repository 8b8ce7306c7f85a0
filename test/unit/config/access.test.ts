import { describe, expect, test } from '@jest/globals';
import { resolveAccess } from '#src/config/access.js';
import { readSettings } from '#src/config/reader.js';
import { accessNames } from '#src/config/settings.js';

function resolve(env: Record<string, string>, flags: Record<string, unknown> = {}) {
  const read = readSettings(accessNames, {
    env,
    flags,
    dotenv: undefined,
    readFile: () => Buffer.from('-----BEGIN X-----'),
  });
  return { access: resolveAccess(read), faults: read.faults };
}

const ucp = { UCP_URL: 'ucp.example', UCP_USERNAME: 'admin', UCP_PASSWORD: 'hunter2' };

describe('the way to a replica', () => {
  test('through UCP', () => {
    const { access, faults } = resolve(ucp);
    expect(faults).toEqual([]);
    expect(access?.ucp?.username).toBe('admin');
    expect(access?.address).toBeUndefined();
    expect(JSON.stringify(access)).not.toContain('hunter2');
  });

  test('directly', () => {
    const { access, faults } = resolve({ MSR_RETHINKDB_ADDR: 'db:28016', DTR_VERSION: '3.0.1' });
    expect(faults).toEqual([]);
    expect(access).toMatchObject({
      address: { host: 'db', port: 28016 },
      dtrVersion: '3.0.1',
      connectWindowMs: 60_000,
    });
    expect(access?.ucp).toBeUndefined();
  });

  test('through UCP to another address', () => {
    const { access } = resolve({ ...ucp, MSR_RETHINKDB_ADDR: 'db' });
    expect(access?.ucp).toBeDefined();
    expect(access?.address).toEqual({ host: 'db', port: 28015 });
  });

  test('tells everything that is missing at once, and how to pass the password', () => {
    const { access, faults } = resolve({});
    expect(access).toBeUndefined();
    expect(faults).toHaveLength(3);
    expect(faults.join('\n')).toContain('--env UCP_PASSWORD=$UCP_PASSWORD');
  });

  test.each([
    [{ MSR_RETHINKDB_ADDR: 'db' }, {}, '--dtr-version (DTR_VERSION) is needed'],
    [ucp, { 'rethinkdb-plaintext': true }, '--rethinkdb-plaintext is only for'],
    [{ ...ucp, MSR_RETHINKDB_CLIENT_CERT_FILE: '/c' }, {}, 'go together'],
    [
      { MSR_RETHINKDB_ADDR: 'db', DTR_VERSION: '3.0.1', MSR_RETHINKDB_CA_CERT_FILE: '/c' },
      { 'rethinkdb-plaintext': true },
      'contradicts',
    ],
  ])('refuses %j with %j', (env, flags, message) => {
    const { access, faults } = resolve(env, flags);
    expect(access).toBeUndefined();
    expect(faults).toEqual([expect.stringContaining(message)]);
  });
});
