// Whole runs with --metrics-file and --ping-url: what monitors are told, and that none changes what a run ends with.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeArchive } from '../support/archive/sample.js';
import { BackupFixture } from '../support/backup-fixture.js';
import type { Ended } from '../support/command.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { fatalLines } from '../support/failure.js';
import { sampleReplica } from '../support/image-archive.js';
import { startMonitorServer, type Answer, type MonitorServer, type RecordedPing } from '../support/monitor-server.js';
import { createAuthority } from '../support/pki.js';
import { Program, runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { isFull } from '../support/scale.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const secret = '7b1f3c1e-9d57-4a39-8f7e-000000000000';

let directory: string;
let monitor: MonitorServer;
let answer: (ping: RecordedPing) => Answer;

const path = (name: string): string => join(directory, name);
const metrics = (): string => readFileSync(path('m.prom'), 'utf8');
/** Of `dtr_backup_NAME`; undefined where it is absent. */
const metric = (name: string): number | undefined => {
  const value = new RegExp(`^dtr_backup_${name}\\{.*\\} (.*)$`, 'm').exec(metrics())?.[1];
  return value === undefined ? undefined : Number(value);
};
const monitors = (): string[] => ['--metrics-file', path('m.prom'), '--ping-url', `${monitor.url}/${secret}`];
const goodVerify = (): string[] => ['verify', path('good.tar')];
const warningsOf = ({ stderr }: Ended): string[] => stderr.split('\n').filter((line) => line.startsWith('WARN'));

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  writeFileSync(path('good.tar'), await makeArchive());
  answer = () => 200;
  monitor = await startMonitorServer({ answer: (ping) => answer(ping) });
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await monitor[Symbol.asyncDispose]();
});

describe('a backup', () => {
  let server: ReqlServer;
  beforeAll(async () => {
    server = await startReqlServer();
    announceServer(server);
    await seedEvents(server, 100);
  }, 120_000);
  afterAll(async () => server[Symbol.asyncDispose]());

  test('that succeeds is told to both', async () => {
    const before = Date.now() / 1000;
    const ended = await runProgram([...directFlags(server), ...monitors(), '--existing-replica-id', '0a1b2c3d4e5f']);
    expect([ended.exitCode, warningsOf(ended).filter((line) => line.includes('monitor'))]).toEqual([0, []]);
    expect(monitor.calls).toEqual([`GET /${secret}/start`, `GET /${secret}`]);
    expect(metrics()).toContain('\ndtr_backup_last_run_success{command="backup",replica="0a1b2c3d4e5f"} 1\n');
    expect(metric('last_run_exit_code')).toBe(0);
    const [start = 0, end = 0] = ['start', 'end'].map((name) => metric(`last_run_${name}_timestamp_seconds`));
    expect([before <= start + 0.001, start <= end, end <= Date.now() / 1000]).toEqual([true, true, true]);
    expect(metric('last_success_timestamp_seconds')).toBe(end);
    expect(metric('last_run_duration_seconds')).toBeLessThanOrEqual(end - before + 0.01);
    expect(statSync(path('m.prom')).mode & 0o777).toBe(0o644);
    expect(ended.stderr).not.toContain(secret);
  });

  test('that fails is told to both, and keeps the last success and the replica', async () => {
    await runProgram([...directFlags(server), ...monitors(), '--existing-replica-id', '0a1b2c3d4e5f']);
    const success = metric('last_success_timestamp_seconds');
    const proxy = await startTcpProxy(server);
    await proxy[Symbol.asyncDispose]();
    const gone = [...directFlags({ host: '127.0.0.1', port: proxy.port }), '--connect-timeout', '0.2'];
    const ended = await runProgram([...gone, ...monitors()]);
    expect(ended.exitCode).toBe(7);
    const [fatal = ''] = fatalLines(ended);
    const { body, ...fail } = monitor.pings.at(-1) ?? { body: '' };
    expect(fail).toMatchObject({ method: 'POST', path: `/${secret}/fail` });
    expect(body).toMatch(/^exit code 7\n/);
    expect(fatal).toContain(body.split('\n')[1]);
    expect(metrics()).toContain('\ndtr_backup_last_run_success{command="backup",replica="0a1b2c3d4e5f"} 0\n');
    expect([metric('last_run_exit_code'), metric('last_success_timestamp_seconds')]).toEqual([7, success]);
  });

  test('that is a dry run is told to neither', async () => {
    const ended = await runProgram([...directFlags(server), ...monitors(), '--dry-run']);
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain('a dry run: --metrics-file and --ping-url are left alone');
    expect([monitor.calls, readdirSync(directory)]).toEqual([[], ['good.tar']]);
  });
});

describe('every command that works on archives has monitors', () => {
  test('images, verify and convert', async () => {
    using fixture = new BackupFixture();
    await fixture.writeMetadata();
    const images = ['images', '--registry-path', fixture.storage, '--existing-replica-id', sampleReplica];
    const calls = [
      ['images', [...images, '--allow-changed', '--output', path('i.tar')]],
      ['verify', ['verify', path('i.tar')]],
      ['convert', ['convert', fixture.path('m.tar'), '--output', path('c.tar')]],
    ] as const;
    for (const [command, args] of calls) {
      const ended = await runProgram([...args, ...monitors()]);
      expect({ command, ...ended }).toMatchObject({ command, exitCode: 0 });
      expect(metrics()).toContain(`last_run_success{command="${command}"`);
      expect(metric('last_run_success')).toBe(1);
    }
    expect(monitor.calls).toEqual(
      Array(3)
        .fill([`GET /${secret}/start`, `GET /${secret}`])
        .flat(),
    );
  });

  test('restore, also one that fails', async () => {
    const flags = ['--rethinkdb-addr', '127.0.0.1:1', '--rethinkdb-plaintext', '--connect-timeout', '0.1'];
    const ended = await runProgram(['restore', path('good.tar'), ...flags, ...monitors()]);
    expect(ended.exitCode).toBe(7);
    expect(monitor.calls).toEqual([`GET /${secret}/start`, `POST /${secret}/fail`]);
    expect([metric('last_run_exit_code'), metric('last_success_timestamp_seconds')]).toEqual([7, undefined]);
  });
});

test('a last success to come, or of another command, is not kept', async () => {
  await runProgram([...goodVerify(), ...monitors()]);
  const failing = ['verify', path('none.tar'), ...monitors()];
  const withLast = (change: (text: string) => string): void => writeFileSync(path('m.prom'), change(metrics()));
  const time = /(last_success_timestamp_seconds\{.*\}) .*/;
  withLast((text) => text.replace(time, '$1 1000'));
  await runProgram(failing);
  expect(metric('last_success_timestamp_seconds')).toBe(1000);
  withLast((text) => text.replaceAll('"verify"', '"backup"'));
  await runProgram(failing);
  expect(metric('last_success_timestamp_seconds')).toBeUndefined();
  await runProgram([...goodVerify(), ...monitors()]);
  withLast((text) => text.replace(time, '$1 99999999999'));
  await runProgram(failing);
  expect(metric('last_success_timestamp_seconds')).toBeUndefined();
});

describe('a usage error', () => {
  test('in other settings is told to both', async () => {
    const ended = await runProgram(['backup', ...monitors(), '--dtr-version', 'x', '--bogus']);
    expect(ended.exitCode).toBe(2);
    expect(monitor.calls).toEqual([`GET /${secret}/start`, `POST /${secret}/fail`]);
    expect(monitor.pings.at(-1)?.body).toMatch(/^exit code 2\n.*unknown flag: --bogus/);
    expect(metric('last_run_exit_code')).toBe(2);
  });

  test.each([
    ['a symbolic link', () => symlinkSync(path('other'), path('m.prom')), 'is a symbolic link'],
    ['a directory', () => mkdirSync(path('m.prom')), 'is a directory'],
    ['another file', () => writeFileSync(path('m.prom'), 'precious\n'), 'holds something else'],
  ])('is %s in the place of the metrics, which stays', async (_, make, why) => {
    make();
    const before = readdirSync(directory);
    const ended = await runProgram([...goodVerify(), ...monitors()]);
    expect(fatalLines(ended)).toEqual([
      expect.stringContaining(`--metrics-file (DTR_METRICS_FILE): ${path('m.prom')} ${why}`),
    ]);
    expect(ended.exitCode).toBe(2);
    expect(monitor.calls.at(-1)).toBe(`POST /${secret}/fail`);
    expect(readdirSync(directory)).toEqual(before);
  });

  test('is a device in the place of the metrics', async () => {
    const ended = await runProgram([...goodVerify(), '--metrics-file', '/dev/null']);
    expect([ended.exitCode, ended.stderr]).toEqual([2, expect.stringContaining('/dev/null is no regular file')]);
  });

  test.each(['hc.example/SECRET', 'ftp://hc.example/SECRET', 'https://SECRET:%zz@hc.example'])(
    'is the ping URL %s, which is not quoted',
    async (url) => {
      const ended = await runProgram([...goodVerify(), '--ping-url', url]);
      expect(fatalLines(ended)).toEqual([
        expect.stringContaining('--ping-url (DTR_PING_URL) must be an http or https URL'),
      ]);
      expect([ended.exitCode, ended.stderr]).toEqual([2, expect.not.stringContaining('SECRET')]);
    },
  );
});

test('the ping URL comes from a file, with its newline', async () => {
  writeFileSync(path('url'), `${monitor.url}/${secret}?rid=1\n`);
  const ended = await runProgram(goodVerify(), { env: { DTR_PING_URL_FILE: path('url') } });
  expect([ended.exitCode, warningsOf(ended)]).toEqual([0, []]);
  expect(monitor.calls).toEqual([`GET /${secret}/start?rid=1`, `GET /${secret}?rid=1`]);
});

test('metrics that cannot be written at the end are a warning', async () => {
  const ended = await runProgram([...goodVerify(), '--metrics-file', path('none/m.prom')]);
  expect(ended.exitCode).toBe(0);
  expect(warningsOf(ended)).toEqual([
    expect.stringContaining(`The metrics cannot be written to ${path('none/m.prom')}`),
  ]);
});

describe('a monitor', () => {
  const expectWarnings = (ended: Ended, host: string, why: string): void => {
    expect(ended.exitCode).toBe(0);
    expect(warningsOf(ended)).toEqual(
      ['start', 'success'].map((event) =>
        expect.stringMatching(`The monitor at ${host} has not taken the ping of the ${event}: .*${why}`),
      ),
    );
    expect(ended.stderr).not.toContain(secret);
  };

  const answers: readonly (readonly [string, Answer, string])[] = [
    ['that answers 500', 500, 'status 500'],
    ['that does not know the URL', 404, 'status 404'],
    ['that closes', 'close', 'fetch failed: other side closed'],
    ['that redirects to nowhere', { status: 302, location: 'gopher://x/' }, 'no http or https URL'],
    ['that redirects in a circle', { status: 302, location: '/circle' }, 'more than 5 times'],
  ];
  test.each(answers)('%s is a warning', async (_, given, why) => {
    answer = () => given;
    expectWarnings(await runProgram([...goodVerify(), ...monitors()]), monitor.host, why);
    expect(metric('last_run_success')).toBe(1);
  });

  test('that is not there is a warning', async () => {
    const { host, url } = monitor;
    await monitor[Symbol.asyncDispose]();
    const ended = await runProgram([...goodVerify(), '--ping-url', `${url}/${secret}`]);
    monitor = await startMonitorServer();
    expectWarnings(ended, host, 'ECONNREFUSED');
  });

  test('whose certificate is of an unknown authority is a warning, and is sent nothing', async () => {
    const tls = createAuthority('Unknown CA').issue({ commonName: '127.0.0.1', ipAddresses: ['127.0.0.1'] });
    await using other = await startMonitorServer({ tls });
    const ended = await runProgram([...goodVerify(), '--ping-url', `${other.url}/${secret}`]);
    expectWarnings(ended, other.host, 'unable to verify the first certificate');
    expect(other.calls).toEqual([]);
  });

  test('that hangs at the start delays the end by some seconds', async () => {
    answer = ({ path: pinged }) => (pinged.endsWith('/start') ? 'hang' : 200);
    const before = performance.now();
    const ended = await runProgram([...goodVerify(), ...monitors()]);
    expect(performance.now() - before).toBeLessThan(8000);
    expect(warningsOf(ended)).toEqual([expect.stringContaining('ping of the start: no answer before the run ended')]);
    expect([ended.exitCode, monitor.calls.at(-1)]).toEqual([0, `GET /${secret}`]);
  });

  (isFull ? test : test.skip)('that hangs delays the end of a process by half a minute', async () => {
    answer = () => 'hang';
    const before = performance.now();
    const ended = await new Program([...goodVerify(), ...monitors()]).ended();
    expect((performance.now() - before) / 1000).toBeLessThan(35);
    expectWarnings(ended, monitor.host, 'no answer');
  });
});

describe('a process', () => {
  test('that is terminated still pings, and ends with its code', async () => {
    const program = new Program(['verify', '-', ...monitors()], { stdin: 'open' });
    const ending = program.ended();
    await until('the start is pinged', () => monitor.pings.length === 1);
    program.child.kill('SIGTERM');
    const ended = await ending;
    expect({ ...ended, calls: monitor.calls }).toMatchObject({
      exitCode: 143,
      calls: [`GET /${secret}/start`, `POST /${secret}/fail`],
    });
    expect(monitor.pings.at(-1)?.body).toMatch(/^exit code 143\nterminated by SIGTERM/);
    expect([metric('last_run_success'), metric('last_run_exit_code')]).toEqual([0, 143]);
  });

  test('that has pinged ends at once', async () => {
    const ended = await new Program([...goodVerify(), ...monitors()]).ended();
    expect([ended.exitCode, monitor.calls]).toEqual([0, [`GET /${secret}/start`, `GET /${secret}`]]);
  });
});

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
if (!hasPromtool) process.stderr.write('SKIPPED: promtool is not installed, and does not check the metrics\n');

(hasPromtool ? test : test.skip)('promtool finds nothing wrong with the metrics of a run', async () => {
  await runProgram([...goodVerify(), ...monitors()]);
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: metrics(),
    encoding: 'utf8',
  });
  expect([status, stdout, stderr]).toEqual([0, '', '']);
});
