// The command line of backup: faults told at once, the plan alone, .env, the log on stderr, and `--verify`.
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { checkArchive } from '../support/archive-check.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { fatalLines } from '../support/failure.js';
import { Program, runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const eventCount = 4000;
/** With the events more than Node lets listen to one signal without a word. */
const emptyTables = Array.from({ length: 13 }, (_, n) => `t${n}`);

let server: ReqlServer;
let directory: string;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
  await seedEvents(server, eventCount);
  await withConnection(server, async (connection) => {
    for (const name of emptyTables) await r.db('dtr2').tableCreate(name).run(connection);
  });
}, 120_000);
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a call', () => {
  test('with many faults tells them all at once, on one line each, with exit code 2', async () => {
    const env = { UCP_PASSWORD: 'hunter2', DTR_REPLICA_ID: 'abc', UCP_INSECURE_TLS: 'perhaps' };
    const ended = await runProgram(['backup', '--bogus', '--rethinkdb-addr', 'a b', 'extra'], { env });
    expect(ended.exitCode).toBe(2);
    expect(fatalLines(ended).length).toBeGreaterThanOrEqual(4);
    for (const word of ['bogus', 'DTR_REPLICA_ID', 'UCP_INSECURE_TLS', '--rethinkdb-addr']) {
      expect(ended.stderr).toContain(word);
    }
    expect(ended.stderr).not.toContain('hunter2');
    expect(ended.stdout.length).toBe(0);
  });

  test.each(['abc', '12345678901'])('with the replica id %s is a usage error', async (id) => {
    const ended = await runProgram([...directFlags(server), '--existing-replica-id', id]);
    expect(fatalLines(ended)).toEqual([expect.stringContaining('--existing-replica-id must be 12 hex digits')]);
    expect(ended.exitCode).toBe(2);
  });

  test('with --dry-run prints the plan and writes nothing', async () => {
    const ended = await runProgram([...directFlags(server), '--dry-run']);
    expect([ended.exitCode, ended.stdout.length]).toEqual([0, 0]);
    expect(ended.stderr).toMatch(/Plan: dtr2\.events, about [\d,]+ documents/);
    expect(ended.stderr).not.toContain('Reading');
  });

  test('reads .env in the working directory', async () => {
    const { host, port } = server;
    writeFileSync(join(directory, '.env'), `MSR_RETHINKDB_ADDR=${host}:${port}\nDTR_VERSION=2.9.4\n`);
    const ended = await runProgram(['backup', '--rethinkdb-plaintext', '--dry-run'], { cwd: directory });
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain('dtr-backup-v2.9.4-online/');
  });
});

describe('--log-format json', () => {
  test('has every line on stderr, also where Node warns and where many tables are followed at once', async () => {
    const flags = [...directFlags(server), '--log-format', 'json', '--consistency', 'snapshot', '--debug'];
    // Node warns all the time, and must not be heard beside the log.
    const warning = join(directory, 'warning.cjs');
    const warn = `if (process.title === 'dtr-backup') process.emitWarning('a\\nb')`;
    writeFileSync(warning, `setInterval(() => { ${warn}; }, 100).unref();`);
    const { exitCode, stderr, stdout } = await new Program(flags, {
      env: { NODE_OPTIONS: `--require=${warning}` },
    }).ended();
    const lines = stderr.trimEnd().split('\n');
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(exitCode).toBe(0);
    const own = 'Node warns: Warning: a\\u000ab';
    expect(messages).toContain(own);
    expect(messages.filter((message) => message.startsWith('Node warns: ') && message !== own)).toEqual([]);
    expect((await checkArchive(stdout)).manifest.tables).toHaveLength(emptyTables.length + 1);
  });
});

describe('--verify', () => {
  test('gives a file that reads back as it was written its name', async () => {
    const flags = [...directFlags(server), '--verify', '--output', `${directory}/b.tar`];
    const { exitCode, stderr } = await runProgram(flags);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/Verified \S+b\.tar\.[0-9a-f]{8}\.part: 4,000 documents/);
    expect(readdirSync(directory)).toEqual(['b.tar', 'b.tar.json']);
  });

  test('removes a file that the disk has altered, and ends with 9', async () => {
    // The connection breaks in mid-table, and is refused for a while: time to alter what is on the disk already.
    await using proxy = await startTcpProxy(server, { cutAfterBytes: [2_500_000, 0, 0, 0] });
    const flags = [...directFlags(proxy), '--consistency', 'scan', '--verify', '--output', `${directory}/b.tar`];
    const program = new Program([...flags, '--include-table', 'dtr2.events']);
    const ending = program.ended();
    await program.waitForLog(/Lost RethinkDB/);
    const [name = ''] = readdirSync(directory);
    await until('a part is on the disk', () => statSync(`${directory}/${name}`).size > 100_000);
    const part = openSync(`${directory}/${name}`, 'r+');
    writeSync(part, Buffer.from([0xff]), 0, 1, 90_000);
    closeSync(part);
    const { exitCode, stderr } = await ending;
    expect(exitCode).toBe(9);
    expect(stderr).toMatch(/b\.tar\.[0-9a-f]{8}\.part is not what was written: \S+/);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('without --output is refused, and says what to do instead', async () => {
    const { exitCode, stdout, stderr } = await runProgram([...directFlags(server), '--verify']);
    expect({ exitCode, bytes: stdout.length }).toEqual({ exitCode: 2, bytes: 0 });
    expect(stderr).toContain('dtr-backup verify -');
  });
});
