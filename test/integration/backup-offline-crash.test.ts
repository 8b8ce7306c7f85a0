// `--offline-backup` and an exception that nobody catches: the replica's containers run again.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announceServer } from '../support/direct-mode.js';
import { startEmbeddedDtr, ucpPassword, type EmbeddedDtr } from '../support/embedded-dtr.js';
import { Program } from '../support/program.js';
import { seedReplica } from '../support/replica/seed.js';
import { StandInReplica } from '../support/ucp/stopping.js';

const ownId = 'c0ffee00'.repeat(8);
let dtr: EmbeddedDtr;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  dtr = await startEmbeddedDtr({ ownContainer: { id: ownId } });
  announceServer(dtr.rethinkdb);
  await seedReplica(dtr.rethinkdb, { repositories: 5, events: 10 }, dtr.identity);
}, 180_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await dtr[Symbol.asyncDispose]();
});

test.each([
  ['while they stop', /Stopped dtr-jobrunner/],
  ['while their tables are read', /Reading dtr2\.|Watching|ready/],
])('an exception %s starts the containers again, and ends the run with 1', async (_when, line) => {
  const code = "process.once('SIGUSR2', () => { throw new Error('out of the blue') })";
  const env = {
    UCP_PASSWORD: ucpPassword,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}`,
  };
  const replica = new StandInReplica(dtr.ucp, dtr.replicaId);
  const output = join(directory, 'b.tar');
  const flags = ['--ucp-insecure-tls', '--ucp-username', 'admin', '--existing-replica-id', dtr.replicaId];
  const address = ['--rethinkdb-addr', `127.0.0.1:${dtr.rethinkdb.port}`];
  const slow = ['--debug', '--rate-limit', '1/s', '--consistency', 'scan', '--offline-backup', '--output', output];
  const program = new Program(['backup', '--ucp-url', dtr.ucp.url, ...flags, ...address, ...slow], { env });
  await program.waitForLog(line);
  program.child.kill('SIGUSR2');
  const { exitCode, stderr } = await program.ended();
  expect(stderr).toMatch(/FATA.* This is a bug: out of the blue\n +Error: out of the blue\n +at /);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Started dtr-nginx');
  expect(replica.down).toEqual([]);
  expect([existsSync(output), readdirSync(directory)]).toEqual([false, []]);
});
