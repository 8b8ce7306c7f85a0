// What a run tells its file of metrics of the archive that it has written, and of the replica.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '#src/base/clock.js';
import type { WrittenArchive } from '#src/monitors/metrics.js';
import type { RunEnd } from '#src/monitors/ping.js';
import { RunMonitor } from '#src/monitors/run-monitor.js';
import { createRecordedLog } from '../../support/recorded-log.js';

const archive: WrittenArchive = {
  kind: 'metadata',
  tool: { name: 'dtr-backup', version: '0.1.0' },
  root: 'dtr-backup-v2.9.4',
  replicaId: '0a1b2c3d4e5f',
  startedAt: '2026-11-23T17:04:05Z',
  finishedAt: '2026-11-23T17:05:05Z',
  isShort: false,
  mode: 'online',
  consistency: 'snapshot',
  rethinkdbVersion: '2.4.4',
  documents: { count: 233, bytes: 165_000 },
  changes: { count: 0, bytes: 0 },
  tables: [],
  certificates: 0,
};
type Outcome = RunEnd & { readonly archive?: WrittenArchive };
const success: Outcome = { exitCode: 0, errors: [], archive };
const failure: Outcome = { exitCode: 5, errors: ['no replica'] };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The text of the metrics after a run. */
async function metricsAfter(outcome: Outcome, replicaId?: string): Promise<string> {
  const metricsPath = join(directory, 'm.prom');
  const monitor = new RunMonitor({
    log: createRecordedLog(),
    clock: systemClock,
    tool: { name: 'dtr-backup', version: '0.1.0' },
  });
  expect(await monitor.started({ command: 'backup', replicaId, metricsPath, pingTarget: undefined })).toBeUndefined();
  if (outcome.archive !== undefined) monitor.wrote(outcome.archive);
  await monitor.ended(outcome);
  return readFileSync(metricsPath, 'utf8');
}

const documents = 'dtr_backup_archive_documents{command="backup",replica="0a1b2c3d4e5f"} 233\n';
const lastSuccess = /last_success_timestamp_seconds\{.*\} .*/;

test('the archive of a run names its replica and counts its documents', async () => {
  expect(await metricsAfter(success)).toContain(documents);
});

test('a run that fails before it knows the replica has that of the run before, and its last success', async () => {
  const [before] = lastSuccess.exec(await metricsAfter(success)) ?? [];
  const text = await metricsAfter(failure);
  expect(text).toContain('last_run_exit_code{command="backup",replica="0a1b2c3d4e5f"} 5\n');
  expect(text).not.toContain('archive_documents');
  expect(lastSuccess.exec(text)?.[0]).toBe(before);
});

test('a run that fails for another replica has no last success', async () => {
  await metricsAfter(success);
  const text = await metricsAfter(failure, '999999999999');
  expect(text).toContain('last_run_exit_code{command="backup",replica="999999999999"} 5\n');
  expect(text).not.toMatch(lastSuccess);
});

test('a run that never knew its settings is told to nobody', async () => {
  const log = createRecordedLog();
  await new RunMonitor({ log, clock: systemClock, tool: { name: '', version: '' } }).ended(failure);
  expect(log.lines).toEqual([]);
});
