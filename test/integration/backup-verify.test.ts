// `backup --verify`: the file is read back and proved before it gets its name.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { Program, runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

let server: ReqlServer;
let directory: string;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
  await seedEvents(server, 20_000);
}, 120_000);
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a whole file gets its name', async () => {
  const { exitCode, stderr } = await runProgram([...directFlags(server), '--verify', '--output', `${directory}/b.tar`]);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/Verified \S+b\.tar\.[0-9a-f]{8}\.part: 20,000 documents/);
  expect(readdirSync(directory)).toEqual(['b.tar']);
});

test('a file that the disk altered does not, and ends with 9', async () => {
  // The connection breaks in mid-table, and is refused for a while: time to alter what is on the disk already.
  await using proxy = await startTcpProxy(server, { cutAfterBytes: [6_000_000, 0, 0, 0] });
  const flags = [...directFlags(proxy), '--consistency', 'scan', '--verify', '--output', `${directory}/b.tar`];
  const program = new Program(flags);
  const ending = program.ended();
  await program.waitForLog(/Lost RethinkDB/);
  const [name = ''] = readdirSync(directory);
  const part = openSync(`${directory}/${name}`, 'r+');
  writeSync(part, Buffer.from([0xff]), 0, 1, 1_000_000);
  closeSync(part);
  const { exitCode, stderr } = await ending;
  expect(exitCode).toBe(9);
  expect(stderr).toMatch(/b\.tar\.[0-9a-f]{8}\.part is not what was written: \S+/);
  expect(readdirSync(directory)).toEqual([]);
});

test('without --output it is refused, and says what to do instead', async () => {
  const { exitCode, stdout, stderr } = await runProgram([...directFlags(server), '--verify']);
  expect({ exitCode, bytes: stdout.length }).toEqual({ exitCode: 2, bytes: 0 });
  expect(stderr).toContain('dtr-backup verify -');
});
