// The text of the metrics: what is absent, what is escaped, what a later run reads out of it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { earlierRunOf, metricsText, type RunMetrics, type WrittenArchive } from '#src/monitors/metrics.js';

const failedRun: RunMetrics = {
  command: 'backup',
  replicaId: undefined,
  exitCode: 7,
  startedAt: new Date('2026-11-23T17:04:05.250Z'),
  endedAt: new Date('2026-11-23T17:05:05.250Z'),
  durationSeconds: 60.000_4,
  lastSuccessAt: undefined,
  archive: undefined,
};

const common = {
  tool: { name: 'dtr-backup', version: '0.1.0' },
  root: 'dtr-backup-v2.9.4',
  startedAt: '2026-11-23T17:04:05Z',
  finishedAt: '2026-11-23T17:05:05Z',
  isShort: false,
};
const metadata: WrittenArchive = {
  kind: 'metadata',
  ...common,
  mode: 'online',
  consistency: 'snapshot',
  rethinkdbVersion: '2.4.4',
  documents: { count: 233, bytes: 165_000 },
  changes: { count: 2, bytes: 300 },
  tables: [],
  certificates: 17,
  oldestCertificateExpiry: '2027-01-01T00:00:00.000Z',
  stored: { bytes: 90_000 },
};
const images: WrittenArchive = {
  kind: 'images',
  ...common,
  isShort: true,
  files: { count: 30, bytes: 4000 },
  blobs: { count: 10, bytes: 3000 },
};
const goodRun: RunMetrics = {
  ...failedRun,
  replicaId: '0a1b2c3d4e5f',
  exitCode: 0,
  lastSuccessAt: failedRun.endedAt,
  archive: metadata,
};

const imageRun: RunMetrics = { ...failedRun, command: 'images', archive: images };

/** The lines without comments. */
const samplesOf = (run: RunMetrics): string[] =>
  metricsText(run)
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'));

describe('the samples', () => {
  test('of a failed run of an unknown replica are those of the run alone', () => {
    expect(samplesOf(failedRun)).toEqual([
      'dtr_backup_last_run_success{command="backup"} 0',
      'dtr_backup_last_run_exit_code{command="backup"} 7',
      'dtr_backup_last_run_start_timestamp_seconds{command="backup"} 1795453445.25',
      'dtr_backup_last_run_end_timestamp_seconds{command="backup"} 1795453505.25',
      'dtr_backup_last_run_duration_seconds{command="backup"} 60',
    ]);
  });

  test('of a backup hold what is known of its archive', () => {
    const labels = '{command="backup",replica="0a1b2c3d4e5f"}';
    expect(samplesOf(goodRun).slice(5)).toEqual([
      `dtr_backup_last_success_timestamp_seconds${labels} 1795453505.25`,
      `dtr_backup_archive_documents${labels} 233`,
      `dtr_backup_archive_document_bytes${labels} 165000`,
      `dtr_backup_archive_changes${labels} 2`,
      `dtr_backup_archive_stored_bytes${labels} 90000`,
      `dtr_backup_archive_short${labels} 0`,
      `dtr_backup_certificate_expiry_timestamp_seconds${labels} 1798761600`,
    ]);
  });

  test('of images are others, and what is not known is absent', () => {
    expect(samplesOf(imageRun).slice(5)).toEqual([
      'dtr_backup_archive_files{command="images"} 30',
      'dtr_backup_archive_file_bytes{command="images"} 4000',
      'dtr_backup_archive_blobs{command="images"} 10',
      'dtr_backup_archive_blob_bytes{command="images"} 3000',
      'dtr_backup_archive_short{command="images"} 1',
    ]);
  });

  test('have a HELP and a TYPE line each, in front of them', () => {
    const [, ...lines] = metricsText(goodRun).trimEnd().split('\n');
    expect(lines.length % 3).toBe(0);
    for (let at = 0; at < lines.length; at += 3) {
      const name = /^\w+/.exec(lines[at + 2] ?? '')?.[0] ?? '?';
      expect(lines.slice(at, at + 2)).toEqual([
        expect.stringMatching(`^# HELP ${name} [A-Z].*\\.$`),
        `# TYPE ${name} gauge`,
      ]);
    }
  });
});

const hostileId = 'a"} 1\nb\\c\\n\\"é{,';

test('a label is escaped, and read back as it was', () => {
  const text = metricsText({ ...goodRun, replicaId: hostileId });
  expect(text).toContain('dtr_backup_last_run_success{command="backup",replica="a\\"} 1\\nb\\\\c\\\\n\\\\\\"é{,"} 1\n');
  expect(earlierRunOf(text)).toEqual({ command: 'backup', replicaId: hostileId, lastSuccessAt: goodRun.endedAt });
});

describe('what a later run reads', () => {
  test('of a run before any success', () => {
    const expected = { command: 'backup', replicaId: undefined, lastSuccessAt: undefined };
    expect(earlierRunOf(metricsText(failedRun))).toEqual(expected);
  });

  test.each([
    ['nothing', ''],
    ['another file', '# HELP up Whether.\nup 1\n'],
    ['our first line alone', '# dtr-backup: metrics of the last run\n'],
    ['a file with another first line', `\n${metricsText(goodRun)}`],
    ['a file cut in the middle of its end', metricsText(goodRun).split('1795453505')[0] ?? ''],
  ])('of %s is nothing', (_, text) => {
    expect(earlierRunOf(text)).toBeUndefined();
  });

  test.each(['9'.repeat(400), '1.2.3', '.'])('of a time that is none (%s) is no time', (time) => {
    const text = metricsText(goodRun).replace(/(last_success_timestamp_seconds\{.*\}) .*/, `$1 ${time}`);
    expect(earlierRunOf(text)).toMatchObject({ command: 'backup', lastSuccessAt: undefined });
  });
});

/** The alerts of the documentation. */
const documented = readFileSync('docs/monitoring.md', 'utf8');
const [, rules = ''] = /^```yaml\n(.*?)^```/ms.exec(documented) ?? [];

test('the documentation has every metric, and its alerts use no others', () => {
  const names = [
    ...metricsText(goodRun).matchAll(/^dtr_backup_\w+/gm),
    ...metricsText(imageRun).matchAll(/^dtr_backup_\w+/gm),
  ];
  const made = new Set(names.map(([name]) => name));
  const used = [...rules.matchAll(/dtr_backup_\w+/g)].map(([name]) => name);
  expect(used.length).toBeGreaterThan(3);
  expect(used.filter((name) => !made.has(name))).toEqual([]);
  // `dtr_backup_archive_documents`, `…_document_bytes`
  const parts = [...documented.matchAll(/`(?:dtr_backup|…)(_\w+)`/g)].map(([, part = '?']) => part);
  expect([...made].filter((name) => !parts.some((part) => name.endsWith(part)))).toEqual([]);
});

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
if (!hasPromtool) process.stderr.write('SKIPPED: promtool is not installed, and does not check the metrics\n');

(hasPromtool ? test : test.skip).each([
  ['a backup', goodRun],
  ['images', imageRun],
  ['a failed run', failedRun],
  ['a hostile label', { ...goodRun, replicaId: hostileId }],
])('promtool finds nothing wrong with those of %s', (_, run) => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: metricsText(run) });
  expect({ status, stdout: stdout.toString(), stderr: stderr.toString() }).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
});

(hasPromtool ? test : test.skip)('promtool finds nothing wrong with the alerts of the documentation', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  try {
    writeFileSync(join(directory, 'rules.yml'), rules);
    const { status, stdout } = spawnSync('promtool', ['check', 'rules', 'rules.yml'], { cwd: directory });
    expect([status, stdout.toString()]).toEqual([0, expect.stringContaining('3 rules found')]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
