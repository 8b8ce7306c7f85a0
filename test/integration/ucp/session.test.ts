// A session with UCP in bad weather: expiry, refusals, trying again, limits, aborts.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { until } from '../../support/until.js';
import type { Fault } from '../../support/ucp/faults.js';
import { visitUcp } from '../../support/ucp/visit.js';

const list = /^GET \/containers\/json/;

describe('a session', () => {
  test('signs in again, once and unseen, when UCP has ended it', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.accounts.expireTokens();
    expect(await docker.listContainers()).toHaveLength(9);
    expect(visit.ucp.accounts.givenTokens).toHaveLength(2);
    expect(await docker.listContainers()).toHaveLength(9);
    expect(visit.ucp.accounts.givenTokens).toHaveLength(2);
  });

  test('fails when UCP refuses the new token, too', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.faults.add({ on: list, fault: { kind: 'status', status: 401, message: 'unauthorized' } });
    const { message } = await visit.failureOf(docker.listContainers(), ExitCode.ucpRefused);
    expect(message).toContain('401: unauthorized');
    expect(visit.ucp.accounts.givenTokens).toHaveLength(2);
  });

  test('fails when the password was changed in the middle', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.accounts.expireTokens();
    visit.ucp.accounts.password = 'a new password';
    await visit.failureOf(docker.listContainers(), ExitCode.ucpRefused);
  });

  test('fails where the user is no administrator', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.faults.add({ on: list, fault: { kind: 'status', status: 403, message: 'access denied' } });
    const { message } = await visit.failureOf(docker.listContainers(), ExitCode.ucpRefused);
    expect(message).toContain('access denied: user admin may not do this; a UCP administrator is needed');
  });

  test('shows no token that a proxy sends back', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.faults.add({ on: list, fault: { kind: 'echo', status: 400 } });
    const { message } = await visit.failureOf(docker.listContainers(), ExitCode.ucpUnreachable);
    expect(message).toMatch(/ with 400: an answer that is not shown, as it holds the token of the session$/);
  });

  test('signs out at its end', async () => {
    await using visit = await visitUcp();
    const { accounts } = visit.ucp;
    await using session = await visit.signIn();
    expect(accounts.openSessions).toBe(1);
    visit.stop.abort(new Error('terminated'));
    await session[Symbol.asyncDispose]();
    expect(accounts.openSessions).toBe(0);
  });

  const deaf: [string, Fault][] = [
    ['404', { kind: 'status', status: 404 }],
    ['405', { kind: 'html', status: 405 }],
    ['a redirect', { kind: 'redirect', location: 'https://elsewhere.example/' }],
    ['a torn connection', { kind: 'reset' }],
    ['nothing for ever', { kind: 'hang' }],
  ];
  test.each(deaf)('ends quietly and soon where UCP answers its signing out with %s', async (_what, fault) => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: /^POST \/auth\/logout$/, fault });
    const session = await visit.signIn({ signOutTimeoutMs: 300 });
    const before = visit.log.lines.length;
    const startMs = performance.now();
    await session[Symbol.asyncDispose]();
    expect(performance.now() - startMs).toBeLessThan(2500);
    const after = visit.log.lines.slice(before);
    expect(after).toEqual([expect.stringMatching(/^DEBU UCP: POST \/auth\/logout: /)]);
    expect(after.join()).not.toContain(visit.ucp.accounts.givenTokens[0]);
  });

  const passing: [string, Fault][] = [
    ['429', { kind: 'status', status: 429 }],
    ['502', { kind: 'html', status: 502 }],
    ['503', { kind: 'status', status: 503 }],
    ['504', { kind: 'status', status: 504 }],
    ['a torn connection', { kind: 'reset' }],
    ['a lost answer', { kind: 'lost-answer' }],
    ['half an answer', { kind: 'cut' }],
  ];
  test.each(passing)('tries a harmless call again after %s', async (_what, fault) => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.faults.add({ on: list, fault, times: 2 });
    expect(await docker.listContainers()).toHaveLength(9);
    expect(visit.log.lines.filter((line) => line.startsWith('WARN') && line.endsWith('trying again'))).toHaveLength(2);
  });

  const later = (): string => new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000).toUTCString();
  test.each([
    ['seconds', () => '1'],
    ['a date', later],
  ])('waits as long as Retry-After says, in %s', async (_how, retryAfter) => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.faults.add({ on: list, fault: { kind: 'status', status: 429, retryAfter: retryAfter() }, times: 1 });
    const startMs = performance.now();
    expect(await docker.listContainers()).toHaveLength(9);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(950);
    expect(visit.ucp.calls).toHaveLength(3);
    expect(visit.log.lines.at(-2)).toMatch(/^WARN .* with 429: .*; trying again in [12] s, as UCP asks$/);
  });

  test('waits no longer than its window, whatever Retry-After says, and asks for the last time then', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker({ retryWindowMs: 1000 });
    visit.ucp.faults.add({ on: list, fault: { kind: 'status', status: 503, retryAfter: '86400' } });
    await visit.failureOf(docker.listContainers(), ExitCode.ucpUnreachable);
    expect(visit.ucp.calls).toHaveLength(3);
  });

  test.each(['', 'soon', '-5'])('takes no notice of a Retry-After that is %j', async (retryAfter) => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.faults.add({ on: list, fault: { kind: 'status', status: 503, retryAfter }, times: 1 });
    await docker.listContainers();
    expect(visit.log.lines.filter((line) => line.endsWith('; trying again'))).toHaveLength(1);
  });

  test('gives up when the faults outlast the window', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker({ retryWindowMs: 400 });
    visit.ucp.faults.add({ on: list, fault: { kind: 'status', status: 503, message: 'no healthy upstream' } });
    const { message } = await visit.failureOf(docker.listContainers(), ExitCode.ucpUnreachable);
    expect(message).toContain('503: no healthy upstream');
  });

  const lasting: [string, Fault, string][] = [
    ['a 500', { kind: 'status', status: 500, message: 'broken' }, '500: broken'],
    ['HTML', { kind: 'html' }, 'a page in HTML'],
    ['broken JSON', { kind: 'body', body: '[{"Id":' }, 'broken JSON'],
    ['JSON of another shape', { kind: 'body', body: '[{"Id":"x","Image":7,"State":"running"}]' }, 'at 0.Image'],
    ['a redirect', { kind: 'redirect', location: 'https://other.example.com/' }, 'https://other.example.com (302)'],
  ];
  test.each(lasting)('does not try again after %s', async (_what, fault, text) => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    visit.ucp.faults.add({ on: list, fault });
    const { message } = await visit.failureOf(docker.listContainers(), ExitCode.ucpUnreachable);
    expect(message).toContain(text);
    expect(visit.ucp.calls).toHaveLength(2);
  });

  test('never repeats a call that does harm', async () => {
    await using visit = await visitUcp({ ownContainer: { id: 'a'.repeat(64) } });
    const docker = await visit.docker();
    visit.ucp.faults.add({ on: /connect$/, fault: { kind: 'lost-answer' } });
    await visit.failureOf(docker.connectNetwork('dtr-ol', 'a'.repeat(64)), ExitCode.ucpUnreachable);
    expect(visit.ucp.calls.filter(({ path }) => path.endsWith('/connect'))).toHaveLength(1);
  });

  test('holds no more of an answer than its limit', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker({ maxTextBytes: 2000 });
    const { message } = await visit.failureOf(docker.listContainers(), ExitCode.ucpUnreachable);
    expect(message).toContain('more than 2000 bytes');
  });

  test.each(['hang', 'stall'] as const)('bounds the wait for an answer: %s', async (kind) => {
    await using visit = await visitUcp();
    const docker = await visit.docker({ timeoutMs: 500, retryWindowMs: 0 });
    visit.ucp.faults.add({ on: list, fault: { kind } });
    const { message } = await visit.failureOf(docker.listContainers(), ExitCode.ucpUnreachable);
    expect(message).toContain('GET /containers/json?all=1 within 0.5 s');
  });

  test.each(['hang', 'stall', 'reset'] as const)('ends at once with the reason of an abort: %s', async (kind) => {
    await using visit = await visitUcp();
    const docker = await visit.docker({ timeoutMs: 60_000, retryWindowMs: 60_000 });
    visit.ucp.faults.add({ on: list, fault: { kind } });
    const work = docker.listContainers();
    work.catch(() => undefined);
    await until('the call arrives', () => visit.ucp.calls.some(({ path }) => path.startsWith('/containers')));
    visit.stop.abort(new Error('terminated'));
    await expect(work).rejects.toBe(visit.stop.signal.reason);
  });
});
