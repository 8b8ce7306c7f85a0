// Signing in to UCP over real HTTPS, and every way in which UCP may not let us.
import { describe, expect, test } from '@jest/globals';
import { UsageError } from '#src/base/errors.js';
import { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import { signIn } from '#src/ucp/session.js';
import { startLocalServer } from '../../support/local-server.js';
import { createAuthority } from '../../support/pki.js';
import type { Fault } from '../../support/ucp/faults.js';
import { urlOf, visitUcp } from '../../support/ucp/visit.js';

const login = /^POST \/auth\/login$/;

async function unusedPort(): Promise<number> {
  await using server = await startLocalServer(() => undefined);
  return server.port;
}

describe('signing in', () => {
  test('gives a session whose calls carry the token', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    expect(await docker.listContainers()).toHaveLength(9);
    expect(visit.log.lines).toEqual(
      expect.arrayContaining([`INFO Connecting to UCP at ${visit.ucp.url}`, 'INFO Signed in to UCP as admin']),
    );
  });

  test('is refused with a wrong password', async () => {
    await using visit = await visitUcp();
    const wrong = new Secret('wrong-password');
    const { message } = await visit.failureOf(visit.signIn({ password: wrong }), ExitCode.ucpRefused);
    expect(message).toBe(`UCP ${visit.ucp.url} refused user admin or the password (401)`);
    expect(visit.ucp.calls).toHaveLength(1);
    expect([message, ...visit.log.lines].join()).not.toContain('wrong-password');
  });

  test('is refused with a 403', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: login, fault: { kind: 'status', status: 403, message: 'account disabled' } });
    const { message } = await visit.failureOf(visit.signIn(), ExitCode.ucpRefused);
    expect(message).toMatch(/refused user admin or the password \(403\)$/);
  });

  test.each([401, 400])('quotes nothing of what is answered to a password with a %i', async (status) => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: login, fault: { kind: 'echo', status } });
    const code = status === 401 ? ExitCode.ucpRefused : ExitCode.ucpUnreachable;
    const { message } = await visit.failureOf(visit.signIn(), code);
    const { origin } = new URL(visit.ucp.url);
    const refusal = `UCP ${origin} refused user admin or the password (401)`;
    expect(message).toBe(status === 401 ? refusal : `UCP ${origin} answered POST /auth/login with 400`);
  });

  const notUcp: [string, Fault, string][] = [
    ['HTML', { kind: 'html' }, 'a page in HTML'],
    ['an HTML 404', { kind: 'html', status: 404 }, 'answered POST /auth/login with 404'],
    ['broken JSON', { kind: 'body', body: '{"auth_token":"abcdef' }, 'broken JSON'],
    ['no token', { kind: 'body', body: '{"status":"ok"}' }, 'at auth_token'],
    ['a token unfit for a header', { kind: 'body', body: '{"auth_token":"a\\nb"}' }, 'at auth_token'],
    ['nothing', { kind: 'body', body: '' }, 'broken JSON'],
    ['a 500', { kind: 'status', status: 500, message: 'out of order' }, 'answered POST /auth/login with 500'],
    ['a redirect', { kind: 'redirect', location: 'https://sso.example.com/login?token=x' }, 'https://sso.example.com '],
    ['a redirect to nowhere', { kind: 'redirect', location: 'http://' }, 'nowhere'],
    ['half an answer', { kind: 'cut' }, 'cut short'],
  ];
  test.each(notUcp)('fails with %s for an answer', async (_what, fault, text) => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: login, fault });
    const failure = await visit.failureOf(visit.signIn({ retryWindowMs: 0 }), ExitCode.ucpUnreachable);
    expect(failure.message).toContain(text);
    expect(JSON.stringify(failure)).not.toContain('abcdef');
    expect(visit.ucp.calls).toHaveLength(1);
  });

  test('does not follow a redirect to the same host either', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: login, fault: { kind: 'redirect', location: '/elsewhere' } });
    await visit.failureOf(visit.signIn(), ExitCode.ucpUnreachable);
    expect(visit.ucp.calls.map(({ path }) => path)).toEqual(['/auth/login']);
  });

  test('fails where UCP never answers', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: login, fault: { kind: 'hang' } });
    const work = visit.signIn({ timeoutMs: 200, retryWindowMs: 0 });
    const { message } = await visit.failureOf(work, ExitCode.ucpUnreachable);
    expect(message).toContain('POST /auth/login within 0.2 s');
  });

  test('fails where the answer stops half-way', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: login, fault: { kind: 'stall' } });
    const work = visit.signIn({ timeoutMs: 200, retryWindowMs: 0 });
    const { message } = await visit.failureOf(work, ExitCode.ucpUnreachable);
    expect(message).toContain('within 0.2 s');
  });

  test('fails where the host name is unknown', async () => {
    await using visit = await visitUcp();
    const work = visit.signIn({ url: urlOf('ucp.invalid'), retryWindowMs: 0 });
    const { message } = await visit.failureOf(work, ExitCode.ucpUnreachable);
    // Without any name server the answer is EAI_AGAIN: not unknown, but not found now.
    expect(message).toMatch(
      /^UCP https:\/\/ucp\.invalid: (the host name is unknown|the connection failed \(EAI_AGAIN\))$/,
    );
  });

  test('fails where nobody listens', async () => {
    await using visit = await visitUcp();
    const url = urlOf(`localhost:${await unusedPort()}`);
    const { message } = await visit.failureOf(visit.signIn({ url, retryWindowMs: 0 }), ExitCode.ucpUnreachable);
    expect(message).toBe(`UCP ${url}: the connection was refused`);
  });

  test('is tried again while UCP is coming up', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: login, fault: { kind: 'reset' }, times: 1 });
    visit.ucp.faults.add({ on: login, fault: { kind: 'status', status: 503 }, times: 1 });
    await using session = await visit.signIn();
    expect(visit.ucp.calls).toHaveLength(3);
    expect((await session.ask({ method: 'GET', path: '/networks' })).status).toBe(200);
    expect(visit.log.lines.filter((line) => line.endsWith('trying again'))).toHaveLength(2);
  });

  test('ends at once with the reason of an abort', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: login, fault: { kind: 'hang' } });
    const work = visit.signIn();
    visit.stop.abort(new Error('interrupted'));
    await expect(work).rejects.toBe(visit.stop.signal.reason);
  });
});

describe('the TLS of UCP', () => {
  const otherAuthority = createAuthority('UCP Client Root CA');
  const faults: [string, Parameters<typeof visitUcp>[0], string][] = [
    ['expired', { certificate: { notAfter: new Date(Date.now() - 3_600_000) } }, 'it has expired'],
    ['not valid yet', { certificate: { notBefore: new Date(Date.now() + 3_600_000) } }, 'it is not valid yet'],
    ['for another name', { certificate: { dnsNames: ['x.example.com'], ipAddresses: [] } }, 'another name'],
    ['from another authority of the same name', { issuer: otherAuthority }, '--ucp-ca'],
  ];

  test.each(faults)('is not accepted with a certificate %s, unless told so', async (_what, options, text) => {
    await using visit = await visitUcp(options);
    const { message } = await visit.failureOf(visit.signIn(), ExitCode.ucpUnreachable);
    expect(message).toContain(text);
    expect(message).toContain('--ucp-ca');
    expect(message).toContain('--ucp-insecure-tls');
    expect(visit.ucp.calls).toEqual([]);
    await using session = await visit.signIn({ insecureTls: true });
    expect((await session.ask({ method: 'GET', path: '/networks' })).status).toBe(200);
    const warning = 'WARN The certificate of UCP is not checked (--ucp-insecure-tls): any server gets the password';
    expect(visit.log.lines).toContain(warning);
  });

  test('is not accepted from an unknown authority', async () => {
    await using visit = await visitUcp();
    const { username, password } = visit.ucp.accounts;
    const own = { url: urlOf(visit.ucp.url), username, password: new Secret(password), insecureTls: false };
    const work = signIn(own, { log: visit.log, signal: visit.stop.signal });
    const { message } = await visit.failureOf(work, ExitCode.ucpUnreachable);
    expect(message).toContain('its authority is not known here');
  });

  test('is not tried with a CA that is none', async () => {
    await using visit = await visitUcp();
    await expect(visit.signIn({ ca: '/etc/no-such-ca.pem' })).rejects.toBeInstanceOf(UsageError);
    expect(visit.ucp.calls).toEqual([]);
  });

  test('is missing where plain HTTP is spoken', async () => {
    await using visit = await visitUcp();
    await using plain = await startLocalServer((client) => client.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const url = urlOf(`127.0.0.1:${plain.port}`);
    const work = visit.signIn({ url, retryWindowMs: 0 });
    const { message } = await visit.failureOf(work, ExitCode.ucpUnreachable);
    expect(message).toContain('the TLS handshake failed');
  });
});
