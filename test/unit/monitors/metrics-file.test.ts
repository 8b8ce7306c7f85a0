// The file of metrics: what may be there before, and how it is replaced.
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { metricsFileFault, writeMetricsFile } from '#src/monitors/metrics-file.js';

const ours = '# dtr-backup: metrics of the last run\n';

let directory: string;
const path = (name: string): string => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

type Place = readonly [what: string, name: string, make: () => void, why: string];

const refusedPlaces: readonly Place[] = [
  ['a symbolic link', 'm.prom', () => symlinkSync(path('other'), path('m.prom')), 'is a symbolic link'],
  ['a directory', 'm.prom', () => mkdirSync(path('m.prom')), 'is a directory'],
  ['a FIFO', 'm.prom', () => execFileSync('mkfifo', [path('m.prom')]), 'is no regular file'],
  ['a name that ends in a slash', 'none/', () => undefined, 'is not the name of a file'],
  ['the file of somebody else', 'm.prom', () => writeFileSync(path('m.prom'), 'up 1\n'), 'holds something else'],
];

describe('refused is', () => {
  test.each(refusedPlaces)('%s', async (_, name, make, why) => {
    make();
    const before = readdirSync(directory);
    expect(await metricsFileFault(path(name))).toContain(why);
    await expect(writeMetricsFile(path(name), () => ours)).rejects.toThrow(why);
    expect(readdirSync(directory)).toEqual(before);
  });

  test('a device', async () => {
    expect(await metricsFileFault('/dev/null')).toContain('is no regular file');
  });
});

test.each([
  ['where there is none', undefined],
  ['where there is an empty one', ''],
  ['where there is one of ours', `${ours}old 1\n`],
])('the file is written %s, readable for everybody whatever the umask is', async (_, before) => {
  if (before !== undefined) writeFileSync(path('m.prom'), before, { mode: 0o600 });
  expect(await metricsFileFault(path('m.prom'))).toBeUndefined();
  const umask = process.umask(0o077);
  let seen: string | undefined = 'nothing';
  try {
    await writeMetricsFile(path('m.prom'), (earlier) => {
      seen = earlier;
      return `${ours}new 2\n`;
    });
  } finally {
    process.umask(umask);
  }
  expect(seen).toBe(before);
  expect(readFileSync(path('m.prom'), 'utf8')).toBe(`${ours}new 2\n`);
  expect(statSync(path('m.prom')).mode & 0o777).toBe(0o644);
  expect(readdirSync(directory)).toEqual(['m.prom']);
});

test('a directory that is missing is no fault at the start, and one at the end', async () => {
  expect(await metricsFileFault(path('none/m.prom'))).toBeUndefined();
  await expect(writeMetricsFile(path('none/m.prom'), () => ours)).rejects.toThrow('ENOENT');
});

test('a text that cannot be made leaves the old file and nothing beside it', async () => {
  writeFileSync(path('m.prom'), ours);
  const fail = (): string => {
    throw new Error('no text');
  };
  await expect(writeMetricsFile(path('m.prom'), fail)).rejects.toThrow('no text');
  expect(readdirSync(directory)).toEqual(['m.prom']);
});
