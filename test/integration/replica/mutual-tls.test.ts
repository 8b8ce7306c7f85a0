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
const own = createReplicaTls(createAuthority('dtr-ca'), replicaId);
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

describe('a session is told at once', () => {
  const alerts: [string, TlsIdentity, string][] = [
    ['a missing client certificate', { ca: own.server.ca }, 'it requires a client certificate'],
    ['one of another authority', { ...foreign.identity, ca: own.server.ca }, 'it does not know the authority'],
  ];
  test.each(alerts)('%s', async (_, tls, text) => {
    const { signal } = new AbortController();
    const log = createRecordedLog();
    const isSilent = server.kind === 'reqlite' && tls.cert !== undefined;
    // The embedded server (Node's TLS) closes without a word, which may pass; RethinkDB says why.
    const options = { address: server, tls, insecureSkipVerify: false, connectWindowMs: isSilent ? 500 : 60_000 };
    await using session = new RethinkSession({ ...options, readTimeoutMs: 5000 }, { log, signal });
    const failure: unknown = await session.connect().catch((error: unknown) => error);
    expect(failure).toMatchObject({ exitCode: ExitCode.rethinkdb });
    expect((failure as Error).message).toContain(isSilent ? 'is the client certificate accepted there?' : text);
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
