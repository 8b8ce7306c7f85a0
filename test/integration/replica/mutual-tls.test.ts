/** RethinkDB over mutual TLS as a replica has it: the volume's client pair opens it, everything else is refused. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#src/base/secret.js';
import type { TlsIdentity } from '#src/model/tls-identity.js';
import { createAuthority } from '../../support/pki.js';
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

test('is refused by a client that trusts another authority', async () => {
  await expect(repositories({ ...own.identity, ca: foreign.server.ca })).rejects.toThrow();
});
