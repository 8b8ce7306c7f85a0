// The TLS of UCP beyond its authority: client certificates, and what else may be given as --ucp-ca.
import { describe, expect, test } from '@jest/globals';
import { UsageError } from '#src/base/errors.js';
import { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import { startLocalServer } from '../../support/local-server.js';
import { createAuthority, type CertificateRequest } from '../../support/pki.js';
import { urlOf, visitUcp } from '../../support/ucp/visit.js';

const clientAuthority = createAuthority('UCP Client Root CA');
const pairOf = (authority = clientAuthority, changes: Partial<CertificateRequest> = {}) => {
  const { cert, key } = authority.issue({ commonName: 'admin', client: true, ...changes });
  return { cert, key: new Secret(key) };
};
const advice = 'give cert.pem and key.pem of a client bundle with --ucp-client-cert and --ucp-client-key';

describe('a UCP that asks for client certificates', () => {
  test('lets in who shows one', async () => {
    await using visit = await visitUcp({ clientAuthority });
    const docker = await visit.docker({ clientPair: pairOf() });
    expect(await docker.listContainers()).toHaveLength(9);
  });

  test('refuses who shows none, at once', async () => {
    await using visit = await visitUcp({ clientAuthority });
    const { message } = await visit.failureOf(visit.signIn({ retryWindowMs: 60_000 }), ExitCode.ucpUnreachable);
    expect(message).toBe(`UCP ${visit.ucp.url}: it requires a client certificate; ${advice}`);
    expect(visit.ucp.calls).toEqual([]);
  });

  test('lets nobody in who shows one of another authority', async () => {
    await using visit = await visitUcp({ clientAuthority });
    const clientPair = pairOf(createAuthority('Somebody else'));
    await visit.failureOf(visit.signIn({ clientPair, retryWindowMs: 300 }), ExitCode.ucpUnreachable);
    expect(visit.ucp.calls).toEqual([]);
  });

  // As a server in Go refuses a client (crypto/tls); Node's own closes the connection without a word.
  test.each([
    ['certificate_required', 116, undefined, 'it requires a client certificate'],
    ['bad_certificate', 42, undefined, 'it requires a client certificate'],
    ['bad_certificate', 42, pairOf(), 'it does not accept the client certificate'],
    ['unknown_ca', 48, pairOf(), 'it does not know the authority of the client certificate'],
  ])('is told by its alert %s (%i) at once', async (_name, alert, clientPair, text) => {
    await using visit = await visitUcp();
    // A record of type alert, of TLS 1.2: fatal.
    const record = Buffer.from([21, 3, 3, 0, 2, 2, alert]);
    await using server = await startLocalServer((client) => client.once('data', () => client.end(record)));
    const url = urlOf(`127.0.0.1:${server.port}`);
    const { message } = await visit.failureOf(visit.signIn({ url, clientPair }), ExitCode.ucpUnreachable);
    expect(message).toBe(`UCP ${url}: ${text}; ${advice}`);
    expect(visit.log.lines.some((line) => line.includes('trying again'))).toBe(false);
  });

  const { cert, key } = pairOf();
  test.each([
    ['no certificate', { cert: '-----BEGIN X-----', key }, /^--ucp-client-cert \(UCP_CLIENT_CERT\) cannot be used: /],
    ['no key', { cert, key: new Secret('x') }, /^--ucp-client-key \(UCP_CLIENT_KEY\) cannot be used: /],
    ['the key of another', { cert, key: pairOf().key }, /it does not belong to the client certificate$/],
    [
      'an expired certificate',
      pairOf(clientAuthority, { notAfter: new Date(Date.now() - 1000) }),
      /^--ucp-client-cert \(UCP_CLIENT_CERT\) cannot be used: it has expired on /,
    ],
  ])('is not asked with %s', async (_what, clientPair, message) => {
    await using visit = await visitUcp({ clientAuthority });
    const failure: unknown = await visit.signIn({ clientPair }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UsageError);
    expect((failure as Error).message).toMatch(message);
    expect(visit.ucp.calls).toEqual([]);
  });
});

describe('--ucp-ca', () => {
  const root = createAuthority('Company Root CA');
  const issuer = root.intermediate('UCP Intermediate CA');

  test('may be an intermediate authority alone', async () => {
    await using visit = await visitUcp({ issuer });
    const docker = await visit.docker({ ca: issuer.certPem });
    expect(await docker.listContainers()).toHaveLength(9);
  });

  test("may be the server's own certificate alone, which still must have its name", async () => {
    await using visit = await visitUcp({ issuer });
    const docker = await visit.docker({ ca: visit.ucp.certPem });
    expect(await docker.listContainers()).toHaveLength(9);
    await using other = await visitUcp({ issuer, certificate: { dnsNames: ['x.example.com'], ipAddresses: [] } });
    const work = other.signIn({ ca: other.ucp.certPem });
    expect((await other.failureOf(work, ExitCode.ucpUnreachable)).message).toContain('another name');
  });

  test.each([
    ['an intermediate of another root', createAuthority('Company Root CA').intermediate('UCP Intermediate CA').certPem],
    ['the certificate of another server', createAuthority('x').issue({ commonName: 'ucp.example.com' }).cert],
    ['the root, where the server does not send the intermediate', root.certPem],
  ])('is no anchor as %s', async (_what, ca) => {
    await using visit = await visitUcp({ issuer });
    await visit.failureOf(visit.signIn({ ca }), ExitCode.ucpUnreachable);
    expect(visit.ucp.calls).toEqual([]);
  });
});
