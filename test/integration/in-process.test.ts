/**
 * The program in process is the program: the same exit code, stdout and stderr as from a child process. And it leaves
 * nothing open: main.ts ends the process whatever is, so nobody else would notice.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeArchive, sampleCertificates, sampleJournal } from '../support/archive/sample.js';
import type { Ended } from '../support/command.js';
import { directFlags } from '../support/direct-mode.js';
import { runInProcess } from '../support/in-process.js';
import { Program } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { someOf } from '../support/scale.js';
import { readTarEntries } from '../support/tar-entries.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

let server: ReqlServer;
let directory: string;
let archive: Buffer;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  archive = await makeArchive(sampleJournal, { certificates: sampleCertificates });
  writeFileSync(path('good.tar'), archive);
  writeFileSync(path('cut.tar'), archive.subarray(0, 5000));
  server = await startReqlServer();
  await seedEvents(server, 500);
  await withConnection(server, async (connection) => {
    for (let table = 0; table < 12; table += 1) await r.db('dtr2').tableCreate(`table${table}`).run(connection);
  });
}, 120_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

type Call = readonly [
  what: string,
  args: () => string[],
  more?: { env?: Record<string, string>; stdin?: () => Buffer },
];

const calls: readonly Call[] = [
  ['no command', () => []],
  ['help', () => ['--help-extended']],
  ['the version', () => ['--version']],
  ['a usage error', () => ['backup', '--bogus', '--rethinkdb-addr', 'a b'], { env: { DTR_REPLICA_ID: 'abc' } }],
  ['verify of a file', () => ['verify', path('good.tar')]],
  ['verify of stdin', () => ['verify', '-'], { stdin: () => archive }],
  ['verify of an empty stdin', () => ['verify']],
  ['verify of a file cut short', () => ['verify', path('cut.tar')]],
  ['verify of a file that is missing', () => ['verify', path('none.tar')]],
  ['inspect', () => ['inspect', '--json', path('good.tar')]],
  ['convert', () => ['convert', '--output', '/nowhere/c.tar', path('good.tar')]],
  ['a plan', () => [...directFlags(server), '--dry-run', '--debug']],
  ['a refused connection', () => [...directFlags({ host: '127.0.0.1', port: 1 }), '--connect-timeout', '0.1']],
];

/** What a run shows, but for the time. */
const shown = ({ exitCode, stdout, stderr }: Ended) => ({
  exitCode,
  stdout: stdout.toString('latin1'),
  stderr: stderr.replaceAll(/\[\d{4}\]/g, '[0000]').replaceAll(/\d+ ms/g, '0 ms'),
});

test.each(someOf(calls, 2))(
  '%s is the same in process and in a child process',
  async (_what, args, { env = {}, stdin } = {}) => {
    const options = { env, stdin: stdin?.() };
    const inProcess = await runInProcess(args(), options);
    const inChild = await new Program(args(), options).ended();
    expect(shown(inProcess)).toEqual(shown(inChild));
  },
);

test.each(['scan', 'snapshot'])('a backup (%s) has the same entries in process and in a child process', async (how) => {
  const args = [...directFlags(server), '--consistency', how];
  const [inProcess, inChild] = [await runInProcess(args), await new Program(args).ended()];
  expect([inProcess.exitCode, inChild.exitCode]).toEqual([0, 0]);
  expect(inProcess.stdout.length).toBe(inChild.stdout.length);
  // Nothing of Node's own is said, such as its warning of many listeners.
  expect(inChild.stderr).toMatch(/^((INFO|WARN)\[\d+\] .*\n)+$/);
  // Plan and manifest have the times of the run.
  const entries = async (tar: Buffer) =>
    (await readTarEntries(tar))
      .filter(({ header: { name } }) => !name.endsWith('.json'))
      .map(({ header: { name }, body }) => [name, body.toString()]);
  expect(await entries(inProcess.stdout)).toEqual(await entries(inChild.stdout));
});

describe('nothing is left open', () => {
  /** How many sockets, timers and file operations this process waits for; children and their pipes are the servers'. */
  const open = (): number =>
    process.getActiveResourcesInfo().filter((kind) => /^(TCPSocket|TLS|FSReq|Timeout|GetAddrInfo)/.test(kind)).length;

  async function expectNothingLeft(args: string[], exitCode: number): Promise<void> {
    const before = open();
    const ended = await runInProcess(args);
    expect({ exitCode: ended.exitCode, stderr: ended.exitCode === exitCode ? '' : ended.stderr }).toEqual({
      exitCode,
      stderr: '',
    });
    await until('all that was opened is closed', () => open() <= before, 2000);
  }

  test.each([
    ['of a backup', () => directFlags(server), 0],
    ['of a backup to a file', () => [...directFlags(server), '--output', path('b.tar'), '--verify'], 0],
    ['of a plan', () => [...directFlags(server), '--dry-run'], 0],
    ['of a conversion', () => ['convert', '--output', path('c.tar'), path('good.tar')], 0],
    ['of a file that is refused', () => ['verify', path('cut.tar')], 9],
    ['of a refused connection', () => [...directFlags({ host: '127.0.0.1', port: 1 }), '--connect-timeout', '0.1'], 7],
  ])('%s', async (_what, args, exitCode) => expectNothingLeft(args(), exitCode));

  test('of a server that stops in the middle of a table', async () => {
    await using proxy = await startTcpProxy(server, { stopAfterBytes: { bytes: 200_000, how: 'stall' } });
    const patience = ['--connect-timeout', '0.3', '--read-timeout', '0.3'];
    await expectNothingLeft([...directFlags(proxy), '--consistency', 'scan', ...patience], 7);
  });
});
