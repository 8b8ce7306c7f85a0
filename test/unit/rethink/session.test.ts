// What a session says of a server that it cannot speak to.
import { describe, expect, test } from '@jest/globals';
import { createPrivateKey } from 'node:crypto';
import { startLocalServer } from '../../support/local-server.js';
import { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import type { TlsIdentity } from '#src/model/replica-access.js';
import { RethinkSession } from '#src/rethink/session.js';
import { createAuthority } from '../../support/pki.js';
import { createRecordedLog } from '../../support/recorded-log.js';
import { createReplicaTls } from '../../support/replica/replica-tls.js';

const { identity } = createReplicaTls(createAuthority('dtr-ca'), '1f2e3d4c5b6a');
const foreign = createReplicaTls(createAuthority('another-ca'), '1f2e3d4c5b6a').identity;
const nowhere = { host: '127.0.0.1', port: 1 };
const dayMs = 24 * 60 * 60 * 1000;

/** A client pair whose certificate is good from and to so many days from now. */
function pairFor(fromDays: number, toDays: number): TlsIdentity {
  const [notBefore, notAfter] = [fromDays, toDays].map((days) => new Date(Date.now() + days * dayMs));
  const dates = { ...(notBefore && { notBefore }), ...(notAfter && { notAfter }) };
  const { cert, key } = createAuthority('dtr-ca').issue({ commonName: 'client', client: true, ...dates });
  return { ...identity, cert, key: new Secret(key) };
}

function encrypted(pem: Secret | undefined): Secret {
  const key = createPrivateKey(pem?.reveal() ?? '');
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'hunter2' };
  return new Secret(key.export({ type: 'pkcs8', format: 'pem', ...cipher }).toString());
}

describe('TLS files that are of no use are named before anything is connected to', () => {
  test.each<[string, TlsIdentity, RegExp]>([
    ['CA certificates', { ...identity, ca: 'no PEM' }, /^the CA certificates for RethinkDB cannot be used/],
    ['client certificate', { ...identity, cert: 'no PEM' }, /^the client certificate for RethinkDB cannot be used/],
    ['client key', { ...identity, key: new Secret('no PEM') }, /^the client key for RethinkDB cannot be used/],
    [
      'key of another',
      { ...identity, key: foreign.key ?? new Secret('') },
      /^the client key for RethinkDB cannot be used: it does not belong to the client certificate$/,
    ],
    [
      'encrypted key without its passphrase',
      { ...identity, key: encrypted(identity.key) },
      /^the client key for RethinkDB cannot be used: it is encrypted: give its passphrase in MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE, or /,
    ],
    [
      'encrypted key with another passphrase',
      { ...identity, key: encrypted(identity.key), passphrase: new Secret('hunter3') },
      /^the client key for RethinkDB cannot be used: its passphrase does not open it \(/,
    ],
    [
      'expired certificate',
      pairFor(-2, -1),
      /^the client certificate for RethinkDB cannot be used: it has expired on .* GMT \(CN=client\)$/,
    ],
    [
      'certificate not valid yet',
      pairFor(1, 2),
      /^the client certificate for RethinkDB cannot be used: it is not valid before .* GMT \(CN=client\)$/,
    ],
  ])('%s', async (_, tls, message) => {
    const options = { address: nowhere, tls, insecureSkipVerify: false, connectWindowMs: 100, readTimeoutMs: 100 };
    await using session = new RethinkSession(options, {
      log: createRecordedLog(),
      signal: new AbortController().signal,
    });
    const failure: unknown = await session.connect().catch((error: unknown) => error);
    expect(failure).toMatchObject({ exitCode: ExitCode.rethinkdb });
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message).not.toMatch(/hunter|PRIVATE/);
  });
});

test('a server that closes in the midst of the TLS handshake is waited for: it may be a proxy whose server is away', async () => {
  let connections = 0;
  await using server = await startLocalServer((client) => {
    connections += 1;
    client.once('data', () => client.end());
  });
  const options = {
    address: server,
    tls: identity,
    insecureSkipVerify: false,
    connectWindowMs: 500,
    readTimeoutMs: 500,
  };
  await using session = new RethinkSession(options, {
    log: createRecordedLog(),
    signal: new AbortController().signal,
  });
  await expect(session.connect()).rejects.toThrow(/did not answer within 0\.5 s/);
  expect(connections).toBeGreaterThan(3);
});

test('a connection that is closed while its password is being proved is tried again', async () => {
  let connections = 0;
  const controller = new AbortController();
  const enough = new Error('tried again');
  // Of RethinkDB's handshake (V1_0) this knows the first half. The driver needs some time for so many iterations, once
  // for each salt, and does not watch the connection meanwhile.
  await using server = await startLocalServer((socket) => {
    connections += 1;
    if (connections > 1) controller.abort(enough);
    const salt = Buffer.from(String(connections)).toString('base64');
    socket.once('data', (hello) => {
      const [, nonce = ''] = /,r=([^"]*)"/.exec(hello.toString('latin1')) ?? [];
      const messages = [
        { success: true, min_protocol_version: 0, max_protocol_version: 0, server_version: '2.4.4' },
        { success: true, authentication: `r=${nonce}x,s=${salt},i=300000` },
      ];
      socket.end(messages.map((message) => `${JSON.stringify(message)}\0`).join(''));
    });
  });
  const options = { address: server, insecureSkipVerify: false };
  const log = createRecordedLog();
  await using session = new RethinkSession(
    { ...options, connectWindowMs: 8000, readTimeoutMs: 1000 },
    { log, signal: controller.signal },
  );
  await expect(session.connect()).rejects.toBe(enough);
  expect(log.lines).toContainEqual(
    expect.stringMatching(/^WARN Waiting for .*: the connection was closed while it was being made$/),
  );
});
