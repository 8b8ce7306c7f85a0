/** RethinkDB over mutual TLS as a replica has it: the volume's client pair opens it, everything else is refused. */
import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import type { TlsIdentity } from '#src/model/replica-access.js';
import { RethinkSession } from '#src/rethink/session.js';
import { createAuthority } from '../../support/pki.js';
import { createRecordedLog } from '../../support/recorded-log.js';
import { r, withConnection } from '../../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';
import { createReplicaTls } from '../../support/replica/replica-tls.js';
import { seedReplica } from '../../support/replica/seed.js';

const replicaId = '1f2e3d4c5b6a';
const authority = createAuthority('dtr-ca');
const own = createReplicaTls(authority, replicaId);
const foreign = createReplicaTls(createAuthority('another-ca'), replicaId);
let server: ReqlServer;

beforeAll(async () => {
  server = await startReqlServer({ tls: own.server });
  process.stderr.write(`${server.kind} ${server.version}\n`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function repositories(identity?: TlsIdentity): Promise<number> {
  const query = r.db('dtr2').table('repositories').count();
  return withConnection(server, (connection) => query.run(connection), identity);
}

function identityFromVolume(): TlsIdentity {
  const text = (path: string): string => own.caVolume.get(path)?.toString() ?? '';
  return {
    ca: text('rethink/cert.pem'),
    cert: text('rethink-client/cert.pem'),
    key: new Secret(text('rethink-client/key.pem')),
  };
}

test("takes the client pair of the replica's volume, before and after a restart", async () => {
  expect(server.plaintext).toBe(false);
  await seedReplica(server, { repositories: 5, events: 5 }, own.identity);
  expect(await repositories(identityFromVolume())).toBe(5);
  await server.kill();
  await server.restart();
  expect(await repositories(identityFromVolume())).toBe(5);
});

test.each<[string, TlsIdentity | undefined]>([
  ['a client certificate of another authority', { ...foreign.identity, ca: own.server.ca }],
  ['a client without a certificate', { ca: own.server.ca }],
  ['a client without TLS', undefined],
])('refuses %s', async (_, identity) => {
  await expect(repositories(identity)).rejects.toThrow('connection was closed');
});

interface Target {
  readonly address: ReqlServer;
  readonly tls: TlsIdentity;
  readonly serverName?: string;
}

function sessionWith(target: Target, log = createRecordedLog()): RethinkSession {
  const options = { ...target, insecureSkipVerify: false, connectWindowMs: 60_000, readTimeoutMs: 5000 };
  return new RethinkSession(options, { log, signal: new AbortController().signal });
}

/** The message of exit code 7. */
async function failureToConnect(target: Target, log = createRecordedLog()): Promise<string> {
  await using session = sessionWith(target, log);
  const failure: unknown = await session.connect().catch((error: unknown) => error);
  expect(failure).toMatchObject({ exitCode: ExitCode.rethinkdb });
  return (failure as Error).message;
}

describe('a session is told at once', () => {
  const serverPair = { cert: own.server.cert, key: new Secret(own.server.key) };
  const alerts: [string, TlsIdentity, string][] = [
    ['a missing client certificate', { ca: own.server.ca }, 'it requires a client certificate'],
    ['one of another authority', { ...foreign.identity, ca: own.server.ca }, 'it does not know the authority'],
    [
      'one that is a server’s',
      { ...serverPair, ca: own.server.ca },
      'it does not accept client certificates of this kind',
    ],
  ];
  test.each(alerts)('%s', async (_, tls, text) => {
    const log = createRecordedLog();
    const startMs = performance.now();
    const failure = await failureToConnect({ address: server, tls }, log);
    expect(performance.now() - startMs).toBeLessThan(5000);
    // The embedded server (Node's TLS) closes without a word, which may pass; RethinkDB says why.
    const isSilent = server.kind === 'reqlite' && tls.cert !== undefined;
    const silence =
      'it closes each connection without an answer, as servers do that do not accept the client certificate';
    expect(failure).toContain(` refuses the connection: ${isSilent ? silence : text}`);
    expect(failure).toMatch(/; give another pair with|: give another pair with/);
    if (!isSilent) expect(log.lines).toEqual([]);
  });

  test('nothing where an encrypted key is opened by its passphrase', async () => {
    const key = createPrivateKey(own.identity.key?.reveal() ?? '');
    const pem = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' }).toString();
    const tls = { ...own.identity, key: new Secret(pem), passphrase: new Secret('hunter2') };
    const { signal } = new AbortController();
    const options = { address: server, tls, insecureSkipVerify: false, connectWindowMs: 5000, readTimeoutMs: 5000 };
    await using session = new RethinkSession(options, { log: createRecordedLog(), signal });
    await session.connect();
    expect(await session.ask(r.expr(1), 'ask for 1')).toBe(1);
  });
});

test('is refused by a client that trusts another authority', async () => {
  await expect(repositories({ ...own.identity, ca: foreign.server.ca })).rejects.toThrow();
});

describe("a certificate for the overlay network's names", () => {
  const issued = authority.issue({ commonName: 'rethinkdb', dnsNames: ['*.dtr-ol', 'example.com\nX'] });
  const tls = own.identity;
  let address: ReqlServer;
  beforeAll(async () => {
    address = await startReqlServer({ tls: { ...own.server, ...issued } });
  });
  afterAll(() => address[Symbol.asyncDispose]());

  test('is refused at another address, with all its names and both remedies', async () => {
    const log = createRecordedLog();
    const message = await failureToConnect({ address, tls }, log);
    expect(message).toMatch(/^RethinkDB at 127\.0\.0\.1:\d+ has a certificate for \*\.dtr-ol, /);
    expect(message).toContain(', not for 127.0.0.1: give a name it has with --rethinkdb-server-name');
    expect(message).toMatch(/, or skip the check with --rethinkdb-insecure-skip-verify$/);
    expect(message).not.toContain('\n');
    expect(log.lines).toEqual([]);
  });

  test.each([
    ['the name on the overlay network', `dtr-rethinkdb-${replicaId}.dtr-ol`, tls],
    ['and its own certificate as the only CA', `dtr-rethinkdb-${replicaId}.dtr-ol`, { ...tls, ca: issued.cert }],
  ])('is accepted with %s', async (_what, serverName, identity) => {
    await using session = sessionWith({ address, tls: identity, serverName });
    await session.connect();
    expect(await session.ask(r.expr(1), 'ask for 1')).toBe(1);
  });

  test('is refused for a name elsewhere, and below one of its names', async () => {
    for (const serverName of ['a.example.com', 'a.b.dtr-ol', 'dtr-ol']) {
      expect(await failureToConnect({ address, tls, serverName })).toContain(`, not for ${serverName}: `);
    }
  });
});
