// Pings, sent to a real server on loopback: their URLs, tries, redirects and limits.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { belowTarget, parsePingUrl } from '#src/monitors/ping-request.js';
import { Pinger, pingLimits, type PingLimits, type RunEnd } from '#src/monitors/ping.js';
import {
  startMonitorServer,
  type Answer,
  type MonitorServer,
  type RecordedPing,
} from '../../support/monitor-server.js';
import { until } from '../../support/until.js';

const quick: PingLimits = { tries: 3, tryMs: 10_000, pauseMs: 1, startWaitMs: 10_000, endMs: 10_000 };
const done: RunEnd = { exitCode: 0, errors: [] };
const failure: RunEnd = { exitCode: 7, errors: ['RethinkDB is gone'] };

let server: MonitorServer;
let answer: (ping: RecordedPing) => Answer;
let warnings: string[];

beforeEach(async () => {
  answer = () => 200;
  warnings = [];
  server = await startMonitorServer({ answer: (ping) => answer(ping) });
});
afterEach(async () => server[Symbol.asyncDispose]());

function pingerOf(url: string, limits: Partial<PingLimits> = {}): Pinger {
  const target = parsePingUrl(url);
  if (target === undefined) throw new Error(`${url} is refused`);
  const log = { warn: (message: string) => void warnings.push(message) };
  return new Pinger(target, { log, userAgent: 'dtr-backup/0.1.0', limits: { ...quick, ...limits } });
}

/** Of a whole run, which takes no time. */
async function ping(url: string, end = done, limits: Partial<PingLimits> = {}): Promise<void> {
  const pinger = pingerOf(url, limits);
  pinger.started();
  await pinger.ended(end);
}

describe('the URL', () => {
  test.each([
    '',
    'hc.example/1',
    'ftp://hc.example/',
    'file:///etc/passwd',
    '/1',
    'https://',
    'https://%zz@hc.example/',
  ])('%j is refused', (text) => expect(parsePingUrl(text)).toBeUndefined());

  test.each([
    ['https://hc.example/1', 'https://hc.example/1/start'],
    ['https://hc.example/1/', 'https://hc.example/1/start'],
    ['HTTPS://hc.example', 'https://hc.example/start'],
    ['https://hc.example/1?rid=2&x=/', 'https://hc.example/1/start?rid=2&x=/'],
  ])('%s has its start at %s', (text, expected) => {
    const target = parsePingUrl(text);
    expect(target && belowTarget(target, 'start').url.href).toBe(expected);
  });
});

describe('a run', () => {
  test('that succeeds pings its start and its end', async () => {
    await ping(`${server.url}/1?rid=2`);
    expect(server.calls).toEqual(['GET /1/start?rid=2', 'GET /1?rid=2']);
    expect(warnings).toEqual([]);
  });

  test('that fails posts its exit code and what the log says', async () => {
    await ping(`${server.url}/1`, failure);
    expect(server.pings.at(-1)).toMatchObject({
      method: 'POST',
      path: '/1/fail',
      body: 'exit code 7\nRethinkDB is gone',
    });
  });

  test('posts at most 10 kB, cut between characters, and no control characters', async () => {
    await ping(`${server.url}/1`, { exitCode: 1, errors: ['\u001b[2J'.repeat(3), 'é'.repeat(9000)] });
    const { body = '' } = server.pings.at(-1) ?? {};
    expect(body).toMatch(/^exit code 1\n(\\u001b\[2J){3}\né+$/);
    expect(Buffer.byteLength(body)).toBeGreaterThan(9990);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(10_000);
  });

  test('sends the credentials of the URL in a header, also to where the same host redirects', async () => {
    answer = ({ path }) => (path === '/1' ? { status: 302, location: '/2' } : 200);
    await ping(server.url.replace('//', '//me:p%40ss@') + '/1');
    expect(server.calls).toEqual(['GET /1/start', 'GET /1', 'GET /2']);
    expect(server.pings.map(({ authorization }) => authorization)).toEqual(Array(3).fill(`Basic ${btoa('me:p@ss')}`));
  });
});

describe('a redirect', () => {
  test.each([
    [301, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'exit code 7\nRethinkDB is gone'],
    [308, 'POST', 'exit code 7\nRethinkDB is gone'],
  ])('with %i is followed with %s', async (status, method, body) => {
    answer = ({ path }) => (path === '/1/fail' ? { status, location: '../2' } : 200);
    await ping(`${server.url}/1`, failure);
    expect(server.pings.at(-1)).toMatchObject({ method, path: '/2', body });
  });

  test('to another host takes no credentials along', async () => {
    await using other = await startMonitorServer();
    answer = () => ({ status: 302, location: `${other.url}/2` });
    await ping(server.url.replace('//', '//me:secret@') + '/1');
    expect(other.pings.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  });

  test('is followed five times', async () => {
    answer = ({ path }) => (path === '/1/x/x/x/x/x' ? 200 : { status: 302, location: `${path}/x` });
    await pingerOf(`${server.url}/1`).ended(done);
    expect([server.pings.length, warnings]).toEqual([6, []]);
  });

  test.each([
    ['a sixth time', '/1', 6, 'it redirects more than 5 times'],
    ['to another scheme', 'file:///etc/passwd', 1, 'it redirects to what is no http or https URL'],
    ['to nonsense', 'http://[', 1, 'it redirects to what is no http or https URL'],
  ])('%s is refused, and not tried again', async (_, location, count, why) => {
    answer = () => ({ status: 302, location });
    await pingerOf(`${server.url}/1`).ended(done);
    expect(server.pings.length).toBe(count);
    expect(warnings).toEqual([`The monitor at ${server.host} has not taken the ping of the success: ${why}`]);
  });
});

describe('an answer', () => {
  const tries: readonly (readonly [Answer, number, string])[] = [
    [500, 3, 'it answers with status 500'],
    [503, 3, 'it answers with status 503'],
    [429, 3, 'it answers with status 429'],
    [404, 1, 'it answers with status 404'],
    [304, 1, 'it answers with status 304'],
    ['close', 3, ''],
  ];
  test.each(tries)('%s is tried %i times in all, and is a warning', async (given, count, why) => {
    answer = () => given;
    await pingerOf(`${server.url}/a-secret?with=another`).ended(done);
    expect(server.pings.length).toBe(count);
    expect(warnings).toEqual([expect.stringContaining(`has not taken the ping of the success: ${why}`)]);
    expect(warnings.join()).not.toMatch(/secret|another/);
  });

  test('that comes at the third try is one', async () => {
    answer = () => (server.pings.length < 3 ? 500 : 204);
    await pingerOf(`${server.url}/1`).ended(done);
    expect([server.pings.length, warnings]).toEqual([3, []]);
  });
});

describe('a monitor that hangs', () => {
  beforeEach(() => {
    answer = () => 'hang';
  });

  test('is tried again after the time of one try', async () => {
    await pingerOf(`${server.url}/1`, { tryMs: 50 }).ended(done);
    expect(server.pings.length).toBe(3);
    expect(warnings).toEqual([expect.stringContaining('no answer within 0.05 s')]);
  });

  test('takes no more than all the time there is at the end', async () => {
    await pingerOf(`${server.url}/1`, { endMs: 50 }).ended(done);
    expect(server.pings.length).toBeLessThanOrEqual(1);
    expect(warnings).toEqual([expect.stringContaining('no answer within 0.05 s')]);
  });

  test('at the start is given up when the run has ended, and the end is pinged', async () => {
    answer = ({ path }) => (path === '/1/start' ? 'hang' : 200);
    const pinger = pingerOf(`${server.url}/1`, { startWaitMs: 50 });
    pinger.started();
    await until('the start has been pinged', () => server.pings.length === 1);
    await pinger.ended(done);
    expect(server.calls).toEqual(['GET /1/start', 'GET /1']);
    expect(warnings).toEqual([expect.stringMatching(/ping of the start: no answer before the run ended$/)]);
  });
});

test('the limits of a real run are those of the documentation', () => {
  expect(pingLimits).toMatchObject({ tries: 3, tryMs: 10_000, startWaitMs: 3000, endMs: 30_000 });
});
