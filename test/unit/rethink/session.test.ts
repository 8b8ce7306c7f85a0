// What a session says before it has spoken to any server.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import type { TlsIdentity } from '#src/model/tls-identity.js';
import { RethinkSession } from '#src/rethink/session.js';
import { createAuthority } from '../../support/pki.js';
import { createRecordedLog } from '../../support/recorded-log.js';
import { createReplicaTls } from '../../support/replica/replica-tls.js';

const { identity } = createReplicaTls(createAuthority('dtr-ca'), '1f2e3d4c5b6a');
const foreign = createReplicaTls(createAuthority('another-ca'), '1f2e3d4c5b6a').identity;
const nowhere = { host: '127.0.0.1', port: 1 };

describe('TLS files that are of no use are named before anything is connected to', () => {
  test.each<[string, TlsIdentity, RegExp]>([
    ['CA certificates', { ...identity, ca: 'no PEM' }, /^the CA certificates for RethinkDB cannot be used/],
    ['client certificate', { ...identity, cert: 'no PEM' }, /^the client certificate for RethinkDB cannot be used/],
    ['client key', { ...identity, key: new Secret('no PEM') }, /^the client key for RethinkDB cannot be used/],
    [
      'key of another',
      { ...identity, key: foreign.key ?? new Secret('') },
      /^the client certificate and key for RethinkDB cannot/,
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
  });
});
