// Whole runs of command lines as the vendor documents them; test/unit/cli/vendor-command-lines.test.ts has the table of all.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkArchive } from '../support/archive-check.js';
import { announceServer } from '../support/direct-mode.js';
import { startEmbeddedDtr, ucpPassword, type EmbeddedDtr } from '../support/embedded-dtr.js';
import { runInProcess } from '../support/in-process.js';
import { runProgram } from '../support/program.js';
import { seedReplica } from '../support/replica/seed.js';
import { expectDone } from '../support/restoring.js';

let dtr: EmbeddedDtr;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  dtr = await startEmbeddedDtr();
  announceServer(dtr.rethinkdb);
  await seedReplica(dtr.rethinkdb, { repositories: 2, events: 10 }, dtr.identity);
}, 180_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await dtr[Symbol.asyncDispose]();
});

test('of DTR 2.0 to 2.2, with flags that have no effect', async () => {
  const credentials = ['--ucp-username', 'admin', '--ucp-password', ucpPassword];
  const hub = ['--hub-username', 'somebody', '--hub-password', 'hunter2'];
  const replica = ['--ucp-ca', dtr.ucp.caPem, '--existing-replica-id', dtr.replicaId];
  const flags = ['backup', '--ucp-url', dtr.ucp.url, ...replica, ...credentials, ...hub];
  const address = { MSR_RETHINKDB_ADDR: `127.0.0.1:${dtr.rethinkdb.port}` };
  const ended = await runProgram(flags, { env: address });
  expectDone(ended);
  const { plan, manifest } = await checkArchive(ended.stdout);
  expect(plan).toMatchObject({ dtrVersion: dtr.version, replicaId: dtr.replicaId });
  expect([manifest.tables.length, manifest.certificates.length > 0]).toEqual([26, true]);
  expect(ended.stderr).not.toContain(ucpPassword);
  expect(ended.stderr.match(/^WARN.* --hub-(username|password) has no effect: .*$/gm)).toHaveLength(2);
  expect(ended.stderr).not.toContain('hunter2');
});

test('of MSR 3, with the TLS files where MSR 3 has them, writes the file it names', async () => {
  const { ca = '', cert = '', key } = dtr.identity;
  const files = new Map([
    ['/certs/rethinkdb/ca.crt', ca],
    ['/certs/rethinkdb-client/tls.crt', cert],
    ['/certs/rethinkdb-client/tls.key', key?.reveal() ?? ''],
  ]);
  const file = join(directory, 'msr.tar');
  const msr = { MSR_VERSION: '3.1.2', MSR_RETHINKDB_ADDR: `127.0.0.1:${dtr.rethinkdb.port}`, NOCOLOR: 'true' };
  const ended = await runInProcess(['backup', file], { env: { DTR_SETTLE_TIME: '0.2', ...msr }, files });
  expectDone(ended);
  expect(ended.stdout).toHaveLength(0);
  const { plan, manifest } = await checkArchive(readFileSync(file));
  expect([plan.dtrVersion, manifest.tables.length]).toEqual(['3.1.2', 26]);
});
