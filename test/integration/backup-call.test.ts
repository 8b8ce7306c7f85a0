// The command line of backup: faults told at once, the plan alone, .env.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { directFlags } from '../support/direct-mode.js';
import { fatalLines } from '../support/failure.js';
import { runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';

let server: ReqlServer;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  server = await startReqlServer();
  await seedEvents(server, 10);
}, 120_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

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
