import { describe, expect, test } from '@jest/globals';
import { UsageError } from '#src/base/errors.js';
import type { Access } from '#src/model/replica-access.js';
import { readSettings } from '#src/settings/reader.js';
import { resolveAccess } from '#src/settings/resolve.js';
import { commandSettings } from '#src/settings/settings.js';

interface Resolved {
  readonly access: Access | undefined;
  readonly faults: readonly string[];
}

/** Where MSR 3 has what a client of its RethinkDB needs. */
const msrFiles = ['/certs/rethinkdb/ca.crt', '/certs/rethinkdb-client/tls.crt', '/certs/rethinkdb-client/tls.key'];

interface ResolveOptions {
  readonly dotenv?: string;
  /** The files of MSR 3 that are there. */
  readonly mounted?: readonly string[];
  readonly readMounted?: () => Buffer;
}

function resolve(
  env: Record<string, string>,
  flags: Record<string, unknown> = {},
  { dotenv, mounted = [], readMounted }: ResolveOptions = {},
): Resolved {
  const readFile = (path: string): Buffer => {
    if (msrFiles.includes(path) && !mounted.includes(path)) throw Object.assign(new Error('none'), { code: 'ENOENT' });
    return readMounted?.() ?? Buffer.from(`-----BEGIN ${path}`);
  };
  const read = readSettings(commandSettings.backup, { env, flags, dotenv, readFile });
  try {
    return { access: resolveAccess(read, { needsVersion: true }), faults: read.faults };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { access: undefined, faults: error.faults };
  }
}

const ucp = { UCP_URL: 'ucp.example', UCP_USERNAME: 'admin', UCP_PASSWORD: 'hunter2' };

describe('how a replica is reached', () => {
  test('through UCP', () => {
    const { access, faults } = resolve(ucp);
    expect(faults).toEqual([]);
    expect(access).toMatchObject({ kind: 'ucp', ucp: { username: 'admin' }, address: undefined });
    expect(JSON.stringify(access)).not.toContain('hunter2');
  });

  test('directly', () => {
    const { access, faults } = resolve({ MSR_RETHINKDB_ADDR: 'db:28016', DTR_VERSION: '3.0.1' });
    expect(faults).toEqual([]);
    expect(access).toMatchObject({
      kind: 'direct',
      address: { host: 'db', port: 28016 },
      dtrVersion: '3.0.1',
      security: { kind: 'tls', identity: {}, insecureSkipVerify: false },
      connectWindowMs: 60_000,
    });
  });

  test('through UCP to another address', () => {
    const { access } = resolve({ ...ucp, MSR_RETHINKDB_ADDR: 'db' });
    expect(access).toMatchObject({ kind: 'ucp', address: { host: 'db', port: 28015 } });
  });

  test('directly without TLS', () => {
    const { access } = resolve({ MSR_RETHINKDB_ADDR: 'db', DTR_VERSION: '3.0.1' }, { 'rethinkdb-plaintext': true });
    expect(access?.security).toEqual({ kind: 'plaintext' });
  });

  test('reports everything that is missing at once, and how to pass the password', () => {
    const { access, faults } = resolve({});
    expect(access).toBeUndefined();
    expect(faults).toHaveLength(3);
    expect(faults.join('\n')).toContain('export UCP_PASSWORD; docker run --env UCP_PASSWORD …');
  });

  test.each([
    [{ MSR_RETHINKDB_ADDR: 'db' }, {}, '--dtr-version (DTR_VERSION) is needed'],
    [ucp, { 'rethinkdb-plaintext': true }, '--rethinkdb-plaintext is only for'],
    [{ ...ucp, MSR_RETHINKDB_CLIENT_CERT_FILE: '/c' }, {}, 'go together'],
    [{ ...ucp, UCP_CLIENT_KEY_FILE: '/k' }, {}, '--ucp-client-cert and --ucp-client-key go together'],
    [
      { MSR_RETHINKDB_ADDR: 'db', DTR_VERSION: '3.0.1', MSR_RETHINKDB_SERVER_NAME: 'x' },
      { 'rethinkdb-plaintext': true },
      'contradicts',
    ],
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

  test('with a client certificate for UCP, and a name for RethinkDB’s', () => {
    const { access, faults } = resolve({
      ...ucp,
      UCP_CLIENT_CERT_FILE: '/c',
      UCP_CLIENT_KEY_FILE: '/k',
      MSR_RETHINKDB_SERVER_NAME: 'rethinkdb.example',
    });
    expect(faults).toEqual([]);
    expect(access).toMatchObject({
      ucp: { clientPair: { cert: '-----BEGIN /c' } },
      security: { serverName: 'rethinkdb.example' },
    });
    expect(JSON.stringify(access?.kind === 'ucp' && access.ucp.clientPair?.key)).not.toContain('BEGIN');
    expect(resolve(ucp, {}, { dotenv: 'MSR_RETHINKDB_SERVER_NAME=evil.example' }).faults.join()).toContain(
      'would weaken a check',
    );
  });

  test("as one of RethinkDB's users", () => {
    const direct = { MSR_RETHINKDB_ADDR: 'db', DTR_VERSION: '3.0.1' };
    const { access } = resolve({ ...direct, MSR_RETHINKDB_USER: 'backup', MSR_RETHINKDB_PASSWORD: 'hunter2' });
    expect(access?.rethinkdbUser).toMatchObject({ name: 'backup' });
    expect(access?.rethinkdbUser.password.reveal()).toBe('hunter2');
    expect(JSON.stringify(access)).not.toContain('hunter2');
    expect(resolve(direct).access?.rethinkdbUser.name).toBe('admin');
    expect(resolve(direct).access?.rethinkdbUser.password.reveal()).toBe('');
  });
});

describe('in a container of MSR 3', () => {
  const mounted = msrFiles;
  const version = { MSR_VERSION: '3.1.2' };
  const [ca, cert, key] = msrFiles.map((path) => `-----BEGIN ${path}`);
  const defaultAddress = { host: 'msr-rethinkdb-proxy', port: 28015 };

  /** What TLS shows and checks, and where. */
  const reached = (...given: Parameters<typeof resolve>) => {
    const { access, faults } = resolve(...given);
    expect(faults).toEqual([]);
    if (access?.security.kind !== 'tls') throw new Error('no TLS');
    const { identity, insecureSkipVerify } = access.security;
    const { kind, address } = access;
    return { kind, address, ca: identity.ca, cert: identity.cert, key: identity.key?.reveal(), insecureSkipVerify };
  };
  const all = { kind: 'direct', address: defaultAddress, ca, cert, key, insecureSkipVerify: false };

  test('address and TLS files are those that msr backup has by default', () => {
    expect(reached(version, {}, { mounted })).toEqual(all);
    expect(reached({ ...version, MSR_RETHINKDB_INSECURE_SKIP_VERIFY: 'true' }, {}, { mounted })).toEqual({
      ...all,
      insecureSkipVerify: true,
    });
  });

  test('what is given comes first, certificate and key as a pair', () => {
    const env = { ...version, MSR_RETHINKDB_ADDR: 'db', MSR_RETHINKDB_CLIENT_CERT_FILE: '/c' };
    expect(reached({ ...env, MSR_RETHINKDB_CLIENT_KEY_FILE: '/k' }, {}, { mounted })).toEqual({
      ...all,
      ...{ address: { host: 'db', port: 28015 }, cert: '-----BEGIN /c', key: '-----BEGIN /k' },
    });
    expect(resolve(env, {}, { mounted }).faults).toEqual([expect.stringContaining('go together')]);
  });

  test('a file that is not there is no default, and one that cannot be read is a fault', () => {
    const given = { ...version, MSR_RETHINKDB_CLIENT_CERT_FILE: '/c', MSR_RETHINKDB_CLIENT_KEY_FILE: '/k' };
    expect(reached(given)).toMatchObject({ kind: 'direct', address: defaultAddress, ca: undefined });
    const readMounted = (): Buffer => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    };
    for (const env of [version, { ...version, MSR_RETHINKDB_ADDR: 'db' }]) {
      expect(resolve(env, {}, { mounted, readMounted }).faults).toEqual([
        '--rethinkdb-client-cert (by default /certs/rethinkdb-client/tls.crt): cannot read the file it names (EACCES)',
        '--rethinkdb-client-key (by default /certs/rethinkdb-client/tls.key): cannot read the file it names (EACCES)',
        '--rethinkdb-ca (by default /certs/rethinkdb/ca.crt): cannot read the file it names (EACCES)',
      ]);
    }
  });

  test('a setting of UCP means UCP, which has files of its own', () => {
    expect(reached(ucp, {}, { mounted })).toMatchObject({ kind: 'ucp', address: undefined, ca: undefined });
    const { faults } = resolve({ UCP_PASSWORD: 'hunter2' }, {}, { mounted });
    expect(faults).toEqual([expect.stringContaining('--ucp-url'), expect.stringContaining('--ucp-username')]);
  });

  test('without TLS there are no files', () => {
    const env = { ...version, MSR_RETHINKDB_ADDR: 'db' };
    expect(resolve(env, { 'rethinkdb-plaintext': true }, { mounted })).toMatchObject({
      access: { security: { kind: 'plaintext' } },
      faults: [],
    });
  });
});

describe('.env', () => {
  const ucpRefused = 'the password for --ucp-url (UCP_URL) is not sent to an address from .env: ';
  const directRefused = 'the password for --rethinkdb-addr (MSR_RETHINKDB_ADDR) is not sent to an address from .env: ';
  const user = { UCP_USERNAME: 'admin' };
  const direct = 'MSR_RETHINKDB_ADDR=db\nDTR_VERSION=3.0.1\n';
  test.each<[string, Record<string, string>, string, string[]]>([
    ['all of it', {}, 'UCP_URL=u\nUCP_USERNAME=admin\nUCP_PASSWORD=hunter2\n', []],
    ['the password alone', { UCP_URL: 'u', ...user }, 'UCP_PASSWORD=hunter2\n', []],
    ['the address alone', { ...user, UCP_PASSWORD: 'hunter2' }, 'UCP_URL=u\n', [ucpRefused]],
    ['the address, and a file as the password', user, 'UCP_URL=u\nUCP_PASSWORD_FILE=/etc/shadow\n', [ucpRefused]],
    ['the address of a RethinkDB without a password', {}, direct, []],
    ['the address of a RethinkDB with one', { MSR_RETHINKDB_PASSWORD: 'hunter2' }, direct, [directRefused]],
  ])('gives %s', (_what, env, dotenv, refused) => {
    const { access, faults } = resolve(env, {}, { dotenv });
    expect(faults).toEqual(refused.map((start) => expect.stringContaining(start) as unknown));
    expect(access === undefined).toBe(refused.length > 0);
  });
});
