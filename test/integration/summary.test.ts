/** The summary beside an archive: what it says is so, and a run that cannot write it says so. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { summarySchema, type Summary } from '#src/model/summary.js';
import { directFlags } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { addImage } from '../support/registry-tree.js';
import { runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';

let server: ReqlServer;
let directory: string;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  server = await startReqlServer();
  await seedEvents(server, 50);
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function backup(...flags: string[]) {
  return runProgram([...directFlags(server), ...flags], { env: { BACKUP_PASSPHRASE: 'correct horse' } });
}

/** Read as a program would, and compared with the archive beside it. */
function readSummary(name: string, archive: Buffer = readFileSync(path(name))): Summary {
  const summary = summarySchema.parse(JSON.parse(readFileSync(path(`${name}.json`), 'utf8')));
  const sha256 = createHash('sha256').update(archive).digest('hex');
  expect(summary.stored).toEqual({ bytes: archive.length, sha256 });
  return summary;
}

describe('the summary of a backup', () => {
  test('tells what the archive holds', async () => {
    expect((await backup('--no-encrypt', '--output', path('{version}.tar'))).exitCode).toBe(0);
    expect(readSummary('2.5.3.tar')).toMatchObject({
      ...{ kind: 'metadata', name: '2.5.3.tar', root: 'dtr-backup-v2.5.3', dtrVersion: '2.5.3', isEncrypted: false },
      ...{ documents: { count: 50 }, changes: { count: 0, bytes: 0 }, certificates: 0, isShort: false },
      tables: [{ database: 'dtr2', name: 'events', documents: 50, changes: 0 }],
    });
    expect(readSummary('2.5.3.tar').verifiedAt).toBeUndefined();
  });

  test('tells of the stored bytes where the archive is encrypted, and when it was verified', async () => {
    expect((await backup('--encrypt', '--compress', 'gzip', '--verify', '--output', path('a.gpg'))).exitCode).toBe(0);
    const { isEncrypted, verifiedAt = '', finishedAt } = readSummary('a.gpg');
    expect(isEncrypted).toBe(true);
    expect(Date.parse(verifiedAt)).toBeGreaterThanOrEqual(Date.parse(finishedAt));
  });

  test('also goes where --summary says, of an archive on stdout as well', async () => {
    const { exitCode, stdout } = await backup('--no-encrypt', '--summary', path('stdout.json'));
    expect(exitCode).toBe(0);
    expect(readSummary('stdout', stdout).name).toBe('stdout');
    expect(readdirSync(directory)).toEqual(['stdout.json']);
  });

  test('follows the archive that --force replaces', async () => {
    writeFileSync(path('a.tar'), 'old');
    writeFileSync(path('a.tar.json'), 'old');
    expect((await backup('--no-encrypt', '--output', path('a.tar'), '--force')).exitCode).toBe(0);
    expect(readSummary('a.tar').name).toBe('a.tar');
  });

  test('is never written over another file: the run is refused at its start', async () => {
    writeFileSync(path('a.tar.json'), 'of somebody');
    expectFailure(await backup('--no-encrypt', '--output', path('a.tar')), 8, /a\.tar\.json exists and is never/);
    expect(readdirSync(directory)).toEqual(['a.tar.json']);
  });

  test('that cannot be written ends the run with 8; the archive is whole', async () => {
    const ended = await backup('--no-encrypt', '--output', path('a.tar'), '--summary', path('none/s.json'));
    expectFailure(ended, 8, /the archive is whole, but its summary is not written: .*none\/s\.json.*no such directory/);
    expect((await runProgram(['verify', path('a.tar')])).exitCode).toBe(0);
  });
});

test('the summary of a conversion tells of the new archive, that of images of files and blobs', async () => {
  expect((await backup('--no-encrypt', '--output', path('a.tar'))).exitCode).toBe(0);
  expect((await runProgram(['convert', '--output', path('b.tar'), path('a.tar')])).exitCode).toBe(0);
  const { name, startedAt } = readSummary('b.tar');
  expect([name, startedAt]).toEqual(['b.tar', readSummary('a.tar').startedAt]);
  const storage = path('storage');
  mkdirSync(storage);
  addImage(storage, 'org/app', 'latest');
  const mounted = ['--registry-path', storage, '--existing-replica-id', '0123456789ab'];
  expect((await runProgram(['images', ...mounted, '--output', path('i.tar')])).exitCode).toBe(0);
  const images = readSummary('i.tar');
  expect(images).toMatchObject({ kind: 'images', root: 'dtr-registry-0123456789ab', isShort: false });
  expect(images.kind === 'images' && images.blobs.count).toBeGreaterThan(0);
});
