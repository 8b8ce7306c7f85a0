// Every way a scan can go wrong between RethinkDB and stdout: the exit code, no end of archive, nothing left behind.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { checkArchive } from '../support/archive-check.js';
import { expectFailure, fatalLines } from '../support/failure.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import type { Ended } from '../support/command.js';
import { meanwhileInMidTable, Program, runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { eventText, seedEvents } from '../support/replica/seed-events.js';
import { expectDone } from '../support/restoring.js';
import { scaled } from '../support/scale.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

/** About 4.5 MB of JSON: more than a pipe and two batches hold, so a stalled reader stops the run in mid-table. */
const eventCount = scaled(6000, 20_000);
const scanFlags = (to: Parameters<typeof directFlags>[0]): string[] => [...directFlags(to), '--consistency', 'scan'];
const impatient = ['--connect-timeout', '0.5', '--read-timeout', '0.7'];

let server: ReqlServer;
let directory: string;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
  await seedEvents(server, eventCount);
  await withConnection(server, (connection) => r.db('dtr2').tableCreate('zz_last').run(connection));
}, 120_000);
afterAll(async () => server[Symbol.asyncDispose]());

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function expectEveryEvent(tar: Buffer): Promise<void> {
  const texts = (await checkArchive(tar)).documents('events');
  expect(texts.length).toBe(eventCount);
  const ids = new Set(texts.map((text) => (JSON.parse(text) as { id: string }).id));
  expect(ids.size).toBe(eventCount);
  expect(ids.has((JSON.parse(eventText(eventCount - 1)) as { id: string }).id)).toBe(true);
}

/** A backup in whose middle of the table events `act` is done. */
function inMidTable(act: () => unknown, patience = impatient): Promise<Ended> {
  return meanwhileInMidTable([...scanFlags(server), ...patience], act);
}

/** Starts a backup and stops reading its stdout in the middle of the table events. */
async function startAndStall(): Promise<{ program: Program; start: Buffer }> {
  const program = new Program(scanFlags(server));
  return { program, start: await program.readThenStall(300_000) };
}

describe('a connection that is lost', () => {
  test('and found again, three times in mid-table, costs no document and doubles none', async () => {
    await using proxy = await startTcpProxy(server, { cutAfterBytes: [1_500_000, 500_000, 1_000_001] });
    const ended = await runProgram([...scanFlags(proxy), '--connect-timeout', '2']);
    expect(ended.stderr).toContain('Lost RethinkDB');
    expect(ended.exitCode).toBe(0);
    expect(proxy.connections).toBe(4);
    await expectEveryEvent(ended.stdout);
  });

  test('in the handshake or in the catalog is found again, too', async () => {
    await using proxy = await startTcpProxy(server, { cutAfterBytes: [10, 300, 700, 1100] });
    const ended = await runProgram([...scanFlags(proxy), '--connect-timeout', '2']);
    expect(ended.exitCode).toBe(0);
    await expectEveryEvent(ended.stdout);
  });

  test('that gives its bytes in small pieces gives the same archive', async () => {
    await using proxy = await startTcpProxy(server, { pieceBytes: 7001 });
    const ended = await runProgram(scanFlags(proxy));
    expect(ended.exitCode).toBe(0);
    await expectEveryEvent(ended.stdout);
  });
});

describe('a server', () => {
  afterEach(async () => {
    server.thaw();
    if (!server.isRunning) await server.restart();
  });

  test('killed in mid-table and not back ends the run with 7', async () => {
    const ended = await inMidTable(() => server.kill());
    expectFailure(ended, 7, /did not answer within 0\.5 s/);
  });

  test('killed in mid-table and back within the window gives a whole archive', async () => {
    const patience = ['--connect-timeout', '30', '--read-timeout', '10'];
    let back: Promise<void> | undefined;
    const ended = await inMidTable(async () => {
      await server.kill();
      back = server.restart();
    }, patience);
    await back;
    expectDone(ended);
    expect(ended.stderr).toMatch(/Lost RethinkDB/);
    await expectEveryEvent(ended.stdout);
  });

  test('frozen in mid-table ends the run with 7 by the watchdog', async () => {
    const ended = await inMidTable(() => server.freeze());
    expectFailure(ended, 7, /did not answer within 0\.5 s/);
    expect(ended.stderr).toContain('no answer for 0.7 s');
  });

  test('that never comes up ends the run with 7 after the deadline, and leaves no output file', async () => {
    await server.kill();
    const ended = await runProgram([...scanFlags(server), ...impatient, '--output', join(directory, 'b.tar')]);
    expectFailure(ended, 7, /RethinkDB at 127\.0\.0\.1:\d+ did not answer within 0\.5 s: .*ECONNREFUSED/);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('a table', () => {
  test('that vanishes after the plan is a failure, never an empty table', async () => {
    await withConnection(server, (connection) => r.db('dtr2').tableCreate('zz_vanishing').run(connection));
    const ended = await inMidTable(() =>
      withConnection(server, (connection) => r.db('dtr2').tableDrop('zz_vanishing').run(connection)),
    );
    expectFailure(ended, 7, /read table dtr2\.zz_vanishing: /);
  });
});

describe('the reader of stdout', () => {
  test('going away ends the run with 8 at once', async () => {
    const { program } = await startAndStall();
    program.stdout.destroy();
    expect(await program.exitCode()).toBe(8);
    expect(fatalLines(program)).toEqual([expect.stringContaining('the reader has gone away')]);
  });

  test('being a full disk ends the run with 8', async () => {
    const full = openSync('/dev/full', 'w');
    const ended = await runProgram(scanFlags(server), { stdout: full });
    closeSync(full);
    expectFailure(ended, 8, 'the disk is full');
  });

  test('being a terminal is refused with 8', () => {
    const command = [process.execPath, 'dist/main.js', ...scanFlags(server)].join(' ');
    // script(1) gives the program a terminal and passes its exit code on.
    expect(() => execFileSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' })).toThrow(
      expect.objectContaining({ status: 8, stdout: expect.stringContaining('stdout is a terminal') }),
    );
  });
});

describe('--output', () => {
  test('gives the whole archive under the name asked for', async () => {
    const template = join(directory, 'dtr-{version}-{replica}-{date}.tar');
    const flags = [...scanFlags(server), '--existing-replica-id', '0123456789ab', '--output', template];
    const ended = await runProgram(flags);
    expect([ended.exitCode, ended.stdout.length]).toEqual([0, 0]);
    const name = /^dtr-2\.5\.3-0123456789ab-\d{8}T\d{6}Z\.tar$/;
    const [archive = '', ...others] = readdirSync(directory).sort();
    expect([archive, others]).toEqual([expect.stringMatching(name), [`${archive}.json`]]);
  });

  test('on a full disk ends with 8 and leaves no .part', async () => {
    const mount = join(directory, 'small');
    mkdirSync(mount);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount], { stdio: 'pipe' });
    } catch {
      process.stderr.write('SKIPPED: no right to mount a small disk, so --output on a full disk is not tried\n');
      return;
    }
    try {
      const ended = await runProgram([...scanFlags(server), '--output', join(mount, 'b.tar')]);
      expectFailure(ended, 8, 'the disk is full');
      expect(readdirSync(mount)).toEqual([]);
    } finally {
      execFileSync('umount', [mount]);
    }
  });

  test('never replaces a file', async () => {
    const path = join(directory, 'b.tar');
    writeFileSync(path, 'precious');
    expectFailure(await runProgram([...scanFlags(server), '--output', path]), 8, 'never overwritten without --force');
  });
});

describe('a signal in mid-table', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 143],
  ] as const)('%s ends the run with %d, also when nobody reads stdout', async (signal, exitCode) => {
    const { program, start } = await startAndStall();
    program.child.kill(signal);
    await program.waitForLog(/FATA/);
    const ended = await program.ended();
    expectFailure({ ...ended, stdout: Buffer.concat([start, ended.stdout]) }, exitCode, new RegExp(`by ${signal}`));
  });

  test('leaves no .part', async () => {
    await using proxy = await startTcpProxy(server, {
      cutAfterBytes: [2_000_000, ...Array.from({ length: 50 }, () => 0)],
    });
    const program = new Program([...scanFlags(proxy), '--output', join(directory, 'b.tar')]);
    await program.waitForLog(/Lost RethinkDB/);
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^b\.tar\.[0-9a-f]{8}\.part$/)]);
    program.child.kill('SIGTERM');
    expectFailure(await program.ended(), 143, 'terminated by SIGTERM');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('while connecting ends the run, too', async () => {
    await server.kill();
    const program = new Program(scanFlags(server));
    await program.waitForLog(/Waiting for RethinkDB/);
    program.child.kill('SIGTERM');
    expectFailure(await program.ended(), 143, 'terminated by SIGTERM');
    await server.restart();
  });
});
