/** Archives of a machine whose clock is odd: what is written is proved, whatever the year; what no header tells is refused. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { registryDirectory } from '#src/archive/images/image-layout.js';
import { ExitCode } from '#src/base/exit-codes.js';
import { backup } from '#src/jobs/backup/backup.js';
import { backUpImages, type ImagesOptions } from '#src/jobs/images/images.js';
import { startOfRun } from '#src/jobs/job-context.js';
import { parseReplicaId } from '#src/model/replica-access.js';
import { collectOutput } from '../../support/collected-output.js';
import { sampleReplica, verifyImageBytes } from '../../support/image-archive.js';
import {
  lines,
  makeArchive,
  sampleCertificates,
  sampleTables,
  silentContext,
  verifyBytes,
} from '../../support/archive/sample.js';

const kept = [
  '1970-01-01T00:00:00.000Z',
  '2038-01-19T03:14:08.500Z',
  '2106-02-07T06:28:16.000Z',
  '2242-03-16T12:56:31.999Z',
];
const refused = ['1969-12-31T23:59:59.999Z', '2242-03-16T12:56:32.000Z', '+010000-01-01T00:00:00.000Z'];
const worldAt = (time: string) => ({ ...silentContext, clock: { now: () => new Date(time), monotonicMs: () => 0 } });

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  for (const name of ['blobs', 'repositories'])
    mkdirSync(join(directory, registryDirectory, name), { recursive: true });
  execFileSync('touch', ['--date', '@-86400', join(directory, 'old')]);
  execFileSync('touch', ['--date', `@${2 ** 33}`, join(directory, 'new')]);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** As GNU tar reads it, in seconds. */
function timesOf(archive: Buffer): [string, number][] {
  const args = ['--list', '--verbose', '--full-time', '--utc', '--file=-', '--quoting-style=literal'];
  const listed = execFileSync('tar', args, { input: archive, encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
  return listed
    .trim()
    .split('\n')
    .map((line) => /(\d+-\d+-\d+ [\d:.]+) +(\S+)$/.exec(line) ?? [])
    .map(([, time = '', name = '']) => [name, Date.parse(`${time.replace(' ', 'T')}Z`) / 1000]);
}

describe('a clock at', () => {
  test.each(kept)('%s is a metadata archive’s, in each header and for GNU tar', async (time) => {
    const startedAt = startOfRun(worldAt(time));
    const archive = await makeArchive(sampleTables, { certificates: sampleCertificates, startedAt });
    const verdict = await verifyBytes(archive);
    expect([verdict.state, lines(verdict)]).toEqual(['whole', []]);
    const files = timesOf(archive).filter(([name]) => !name.endsWith('/'));
    expect(files.length).toBe(9);
    for (const [name, seconds] of files) expect([name, seconds]).toEqual([name, Math.floor(Date.parse(time) / 1000)]);
  });

  test.each(kept)('%s is an image archive’s, with files of times before 1970 and far ahead', async (time) => {
    const output = collectOutput();
    const destination = { open: () => Promise.resolve(output), committed: () => Promise.resolve() };
    await backUpImages(imageOptions(), destination, worldAt(time));
    const { state, findings } = await verifyImageBytes(output.bytes());
    expect([state, findings]).toEqual(['whole', []]);
    const times = new Map(timesOf(output.bytes()));
    const root = `dtr-registry-${sampleReplica}`;
    expect(times.get(`${root}/dtr-image-backup.json`)).toBe(Math.floor(Date.parse(time) / 1000));
    expect(times.get(`${root}/_data/old`)).toBe(-86_400);
    expect(times.get(`${root}/_data/new`)).toBe(2 ** 33);
  });

  test.each(refused)('%s is refused by exit code 2, before anything is reached', async (time) => {
    const failure = {
      exitCode: ExitCode.usage,
      message: `the clock of this machine shows ${time}, and an archive can hold only 1970 to 2242: set the clock`,
    };
    const fail = (): never => {
      throw new Error('an output was opened');
    };
    const unreached = { open: fail, committed: fail };
    await expect(backUpImages(imageOptions(), unreached, worldAt(time))).rejects.toMatchObject(failure);
    // Nothing of the options is looked at before.
    await expect(backup({} as Parameters<typeof backup>[0], unreached, worldAt(time))).rejects.toMatchObject(failure);
    await expect(makeArchive(sampleTables, { startedAt: new Date(time) })).rejects.toThrow(RangeError);
  });
});

function imageOptions(): ImagesOptions {
  const replicaId = parseReplicaId(sampleReplica);
  if (replicaId === undefined) throw new Error('the sample replica has no valid id');
  return {
    ...{ access: { kind: 'mounted', path: directory, replicaId }, dtrVersion: undefined },
    ...{ connectWindowMs: 1000, readTimeoutMs: 1000 },
    ...{ since: [], keys: {}, allowChanged: false, dryRun: false, tool: { name: 'test', version: '0' } },
  };
}
