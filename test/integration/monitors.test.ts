// Whole runs with --metrics-file and --ping-url: what both are told by each command, and what is refused.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BackupFixture } from '../support/backup-fixture.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { fatalLines } from '../support/failure.js';
import { sampleReplica } from '../support/image-archive.js';
import { Monitored, failed, pingPath, succeeded, warningsOf } from '../support/monitored.js';
import { runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const replica = ['--existing-replica-id', '0a1b2c3d4e5f'];

let monitored: Monitored;
const metric = (name: string): number | undefined => monitored.metric(name);

beforeEach(async () => {
  monitored = await Monitored.start();
});
afterEach(async () => monitored[Symbol.asyncDispose]());

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
    const ended = await runProgram([...directFlags(server), ...monitored.flags, ...replica]);
    expect([ended.exitCode, warningsOf(ended).filter((line) => line.includes('monitor'))]).toEqual([0, []]);
    expect(monitored.server.calls).toEqual(succeeded);
    expect(monitored.metrics).toContain('\ndtr_backup_last_run_success{command="backup",replica="0a1b2c3d4e5f"} 1\n');
    expect(metric('last_run_exit_code')).toBe(0);
    const [start = 0, end = 0] = ['start', 'end'].map((name) => metric(`last_run_${name}_timestamp_seconds`));
    expect([before <= start, start <= end, end <= Date.now() / 1000]).toEqual([true, true, true]);
    expect(metric('last_success_timestamp_seconds')).toBe(end);
    expect(metric('last_run_duration_seconds')).toBeLessThanOrEqual(end - before + 0.01);
    expect(statSync(monitored.metricsPath).mode & 0o777).toBe(0o644);
    expect(ended.stderr).not.toContain(pingPath);
  });

  test('that fails is told to both, and keeps the last success and the replica', async () => {
    await runProgram([...directFlags(server), ...monitored.flags, ...replica]);
    const success = metric('last_success_timestamp_seconds');
    const proxy = await startTcpProxy(server);
    await proxy[Symbol.asyncDispose]();
    const gone = [...directFlags(proxy), '--connect-timeout', '0.2'];
    const ended = await runProgram([...gone, ...monitored.flags]);
    expect(ended.exitCode).toBe(7);
    expect(monitored.server.calls).toEqual([...succeeded, ...failed]);
    const [code, error = '?'] = monitored.server.pings.at(-1)?.body.split('\n') ?? [];
    expect([code, fatalLines(ended)]).toEqual(['exit code 7', [expect.stringContaining(error)]]);
    expect(monitored.metrics).toContain('\ndtr_backup_last_run_success{command="backup",replica="0a1b2c3d4e5f"} 0\n');
    expect([metric('last_run_exit_code'), metric('last_success_timestamp_seconds')]).toEqual([7, success]);
  });

  test('that is a dry run is told to neither', async () => {
    const ended = await runProgram([...directFlags(server), ...monitored.flags, '--dry-run']);
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain('a dry run: --metrics-file and --ping-url are left alone');
    expect([monitored.server.calls, readdirSync(monitored.directory)]).toEqual([[], ['good.tar']]);
  });
});

test('images, verify and convert have monitors', async () => {
  using fixture = new BackupFixture();
  await fixture.writeMetadata();
  const images = ['images', '--registry-path', fixture.storage, '--existing-replica-id', sampleReplica];
  const calls = [
    ['images', [...images, '--allow-changed', '--output', fixture.path('i.tar')]],
    ['verify', ['verify', fixture.path('i.tar')]],
    ['convert', ['convert', fixture.path('m.tar'), '--output', fixture.path('c.tar')]],
  ] as const;
  for (const [command, args] of calls) {
    const ended = await runProgram([...args, ...monitored.flags]);
    expect({ command, ...ended }).toMatchObject({ command, exitCode: 0 });
    expect(monitored.metrics).toContain(`last_run_success{command="${command}"`);
    expect(metric('last_run_success')).toBe(1);
  }
  expect(monitored.server.calls).toEqual([...succeeded, ...succeeded, ...succeeded]);
});

test('restore has monitors, and a first run that fails has no last success', async () => {
  const flags = ['--rethinkdb-addr', '127.0.0.1:1', '--rethinkdb-plaintext', '--connect-timeout', '0.1'];
  const ended = await runProgram(['restore', monitored.path('good.tar'), ...flags, ...monitored.flags]);
  expect(ended.exitCode).toBe(7);
  expect(monitored.server.calls).toEqual(failed);
  expect([metric('last_run_exit_code'), metric('last_success_timestamp_seconds')]).toEqual([7, undefined]);
});

describe('of the file of the run before', () => {
  const time = /(last_success_timestamp_seconds\{.*\}) .*/;
  test.each([
    ['the last success is kept', (text: string) => text.replace(time, '$1 1000'), 1000],
    ['a last success to come is not', (text: string) => text.replace(time, '$1 99999999999'), undefined],
    ['one of another command is not', (text: string) => text.replaceAll('"verify"', '"backup"'), undefined],
  ])('%s', async (_, change, expected) => {
    await runProgram([...monitored.verify, ...monitored.flags]);
    writeFileSync(monitored.metricsPath, change(monitored.metrics));
    const ended = await runProgram(['verify', monitored.path('none.tar'), ...monitored.flags]);
    expect([ended.exitCode, metric('last_success_timestamp_seconds')]).toEqual([2, expected]);
  });
});

describe('a usage error', () => {
  test('in other settings is told to both', async () => {
    const ended = await runProgram(['backup', ...monitored.flags, '--dtr-version', 'x', '--bogus']);
    expect([ended.exitCode, monitored.server.calls]).toEqual([2, failed]);
    expect(monitored.server.pings.at(-1)?.body).toMatch(/^exit code 2\n.*unknown flag: --bogus/);
    expect(metric('last_run_exit_code')).toBe(2);
  });

  test.each([
    ['a symbolic link', (path: string) => symlinkSync('other', path), 'is a symbolic link'],
    ['a directory', (path: string) => mkdirSync(path), 'is a directory'],
    ['another file', (path: string) => writeFileSync(path, 'precious\n'), 'holds something else'],
  ])('is %s in the place of the metrics, which stays', async (_, make, why) => {
    make(monitored.metricsPath);
    const before = readdirSync(monitored.directory);
    const ended = await runProgram([...monitored.verify, ...monitored.flags]);
    const fault = `--metrics-file (DTR_METRICS_FILE): ${monitored.metricsPath} ${why}`;
    expect(fatalLines(ended)).toEqual([expect.stringContaining(fault)]);
    expect([ended.exitCode, monitored.server.calls]).toEqual([2, failed]);
    expect(readdirSync(monitored.directory)).toEqual(before);
  });

  test('is a device in the place of the metrics', async () => {
    const ended = await runProgram([...monitored.verify, '--metrics-file', '/dev/null']);
    expect([ended.exitCode, ended.stderr]).toEqual([2, expect.stringContaining('/dev/null is no regular file')]);
  });
});

test('metrics that cannot be written at the end are a warning', async () => {
  const path = monitored.path('none/m.prom');
  const ended = await runProgram([...monitored.verify, '--metrics-file', path]);
  expect(ended.exitCode).toBe(0);
  expect(warningsOf(ended)).toEqual([expect.stringContaining(`The metrics cannot be written to ${path}`)]);
});

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
if (!hasPromtool) process.stderr.write('SKIPPED: promtool is not installed, and does not check the metrics\n');

(hasPromtool ? test : test.skip)('promtool finds nothing wrong with the metrics of a run', async () => {
  await runProgram([...monitored.verify, ...monitored.flags]);
  const input = monitored.metrics;
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  expect([status, stdout, stderr]).toEqual([0, '', '']);
});
