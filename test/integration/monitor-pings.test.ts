// Whole runs with --ping-url: monitors that do not answer as they should, and the ends of a process.
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Ended } from '../support/command.js';
import { fatalLines } from '../support/failure.js';
import { Monitored, failed, pingPath, succeeded, warningsOf } from '../support/monitored.js';
import { startMonitorServer, type Answer, type RecordedPing } from '../support/monitor-server.js';
import { createAuthority } from '../support/pki.js';
import { Program, runProgram } from '../support/program.js';
import { isFull } from '../support/scale.js';
import { until } from '../support/until.js';

let monitored: Monitored;
let answer: (ping: RecordedPing) => Answer;

beforeEach(async () => {
  answer = () => 200;
  monitored = await Monitored.start({ answer: (ping) => answer(ping) });
});
afterEach(async () => monitored[Symbol.asyncDispose]());

const run = (): Promise<Ended> => runProgram([...monitored.verify, ...monitored.flags]);

/** The run has succeeded, and warns of both pings. */
function expectWarnings(ended: Ended, host: string, why: string): void {
  expect(ended.exitCode).toBe(0);
  const events = ['start', 'success'];
  expect(warningsOf(ended)).toEqual(
    events.map((event) =>
      expect.stringMatching(`The monitor at ${host} has not taken the ping of the ${event}: .*${why}`),
    ),
  );
  expect(ended.stderr).not.toContain(pingPath);
}

describe('the ping URL', () => {
  test.each(['hc.example/SECRET', 'ftp://hc.example/SECRET', 'https://SECRET:%zz@hc.example'])(
    '%s is a usage error that does not quote it',
    async (url) => {
      const ended = await runProgram([...monitored.verify, '--ping-url', url]);
      const fault = '--ping-url (DTR_PING_URL) must be an http or https URL';
      expect(fatalLines(ended)).toEqual([expect.stringContaining(fault)]);
      expect([ended.exitCode, ended.stderr]).toEqual([2, expect.not.stringContaining('SECRET')]);
    },
  );

  test('comes from a file, with its newline', async () => {
    writeFileSync(monitored.path('url'), `${monitored.pingUrl}?rid=1\n`);
    const ended = await runProgram(monitored.verify, { env: { DTR_PING_URL_FILE: monitored.path('url') } });
    expect([ended.exitCode, warningsOf(ended)]).toEqual([0, []]);
    expect(monitored.server.calls).toEqual(succeeded.map((call) => `${call}?rid=1`));
  });

  test('with credentials and a path of a monitor that refuses it is not logged, either with --debug', async () => {
    answer = () => 404;
    const url = monitored.pingUrl.replace('//', '//me:hunter2@');
    const ended = await runProgram([...monitored.verify, '--debug', '--ping-url', url]);
    expectWarnings(ended, monitored.server.host, 'status 404');
    expect(ended.stderr).not.toContain('hunter2');
  });
});

describe('a monitor', () => {
  const answers: readonly (readonly [string, Answer, string])[] = [
    ['that answers 500', 500, 'status 500'],
    ['that closes', 'close', 'fetch failed: other side closed'],
    ['that redirects to another scheme', { status: 302, location: 'gopher://x/' }, 'no http or https URL'],
    ['that redirects in a circle', { status: 302, location: '/circle' }, 'more than 5 times'],
  ];
  test.each(answers)('%s is a warning', async (_, given, why) => {
    answer = () => given;
    expectWarnings(await run(), monitored.server.host, why);
    expect(monitored.metric('last_run_success')).toBe(1);
  });

  test('that is not there is a warning', async () => {
    const gone = await startMonitorServer();
    await gone[Symbol.asyncDispose]();
    const ended = await runProgram([...monitored.verify, '--ping-url', `${gone.url}${pingPath}`]);
    expectWarnings(ended, gone.host, 'ECONNREFUSED');
  });

  test('whose certificate is of an unknown authority is a warning, and is sent nothing', async () => {
    const authority = createAuthority('Unknown CA');
    await using other = await startMonitorServer({
      tls: authority.issue({ commonName: '127.0.0.1', ipAddresses: ['127.0.0.1'] }),
    });
    const call = [...monitored.verify, '--ping-url', `${other.url}${pingPath}`];
    expectWarnings(await runProgram(call), other.host, 'unable to verify the first certificate');
    expect(other.calls).toEqual([]);
    // Node reads it when it starts.
    writeFileSync(monitored.path('ca.pem'), authority.certPem);
    const trusting = await new Program(call, { env: { NODE_EXTRA_CA_CERTS: monitored.path('ca.pem') } }).ended();
    expect([trusting.exitCode, warningsOf(trusting), other.calls]).toEqual([0, [], succeeded]);
  });

  test('that hangs at the start delays the end by some seconds', async () => {
    answer = ({ path }) => (path.endsWith('/start') ? 'hang' : 200);
    const before = performance.now();
    const ended = await run();
    expect(performance.now() - before).toBeLessThan(8000);
    expect(warningsOf(ended)).toEqual([expect.stringContaining('ping of the start: no answer before the run ended')]);
    expect([ended.exitCode, monitored.server.calls.at(-1)]).toEqual([0, succeeded[1]]);
  });

  (isFull ? test : test.skip)('that hangs delays the end of a process by half a minute', async () => {
    answer = () => 'hang';
    const before = performance.now();
    const ended = await new Program([...monitored.verify, ...monitored.flags]).ended();
    const seconds = (performance.now() - before) / 1000;
    expect([seconds > 25, seconds < 35]).toEqual([true, true]);
    expectWarnings(ended, monitored.server.host, 'no answer');
  });
});

describe('a process', () => {
  test('that is terminated still pings, and ends with its code', async () => {
    const program = new Program(['verify', '-', ...monitored.flags], { stdin: 'open' });
    const ending = program.ended();
    await until('the start is pinged', () => monitored.server.pings.length === 1);
    program.child.kill('SIGTERM');
    const { exitCode } = await ending;
    expect([exitCode, monitored.server.calls]).toEqual([143, failed]);
    expect(monitored.server.pings.at(-1)?.body).toMatch(/^exit code 143\nterminated by SIGTERM/);
    expect([monitored.metric('last_run_success'), monitored.metric('last_run_exit_code')]).toEqual([0, 143]);
  });

  test('that has pinged ends with its code', async () => {
    const ended = await new Program([...monitored.verify, ...monitored.flags]).ended();
    expect([ended.exitCode, monitored.server.calls]).toEqual([0, succeeded]);
  });
});
