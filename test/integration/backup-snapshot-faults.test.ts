// What can befall a snapshot: nothing that is lost goes unnoticed, and nothing else ends it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkArchive } from '../support/archive-check.js';
import { directFlags, announceServer } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { meanwhileInMidTable, runProgram } from '../support/program.js';
import { r, withConnection, type Connection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { clearServer } from '../support/restoring.js';
import { scaled } from '../support/scale.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import type { Ended } from '../support/command.js';

const eventCount = scaled(6000, 20_000);
/** Connections of a backup, in order: the catalog's, the trial of whether the server can, the first table's. */
const untilFirstFeed = [Infinity, Infinity];

let server: ReqlServer;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
}, 120_000);
afterAll(async () => server[Symbol.asyncDispose]());

/** A small table that is ready early, and a large one after it that can be stalled in. */
async function seed(): Promise<void> {
  await clearServer(server);
  await seedEvents(server, 10, { table: 'early' });
  await seedEvents(server, eventCount);
}

/** Starts a backup and stops reading its stdout in the middle of the table events; `meanwhile` happens then. */
async function interrupted(
  meanwhile: (connection: Connection) => Promise<unknown>,
  ...flags: string[]
): Promise<Ended> {
  return meanwhileInMidTable([...directFlags(server), ...flags], () => withConnection(server, meanwhile));
}

const early = r.db('dtr2').table('early');

async function insertMany(connection: Connection): Promise<void> {
  for (let number = 0; number < 300; number += 1) await early.insert({ id: `new-${number}` }).run(connection);
}

describe('a snapshot', () => {
  test('has every change that is made while a large table is read', async () => {
    await seed();
    const ended = await interrupted(insertMany);
    expect(ended.exitCode).toBe(0);
    const { manifest } = await checkArchive(ended.stdout);
    expect(manifest.tables.find(({ directory }) => directory === 'early')?.changes.count).toBe(300);
  });
});

describe('a feed whose connection is lost', () => {
  test('before any of its table has left begins anew', async () => {
    await clearServer(server);
    await seedEvents(server, 500);
    await using proxy = await startTcpProxy(server, { cutAfterBytes: [...untilFirstFeed, 2000] });
    const ended = await runProgram(directFlags(proxy));
    expect({ exitCode: ended.exitCode, stderr: ended.exitCode === 0 ? '' : ended.stderr }).toEqual({
      exitCode: 0,
      stderr: '',
    });
    expect(ended.stderr).toMatch(/Waiting for RethinkDB|Lost RethinkDB/);
    expect((await checkArchive(ended.stdout)).documents('events')).toHaveLength(500);
  });
});

describe('a table that meanwhile is', () => {
  test('renamed or spread over other shards ends the run with 11, where the server can do so', async () => {
    if (server.kind === 'reqlite') {
      process.stderr.write('SKIPPED: renaming and resharding tables, which the embedded server cannot\n');
      return;
    }
    await seed();
    const renaming: object = { name: 'renamed' };
    expectFailure(await interrupted((connection) => early.config().update(renaming).run(connection)), 11, /dtr2\./);
    await seed();
    const shards = { shards: 2, replicas: 1 };
    expectFailure(await interrupted((connection) => early.reconfigure(shards).run(connection)), 11, /dtr2\.early/);
  });
});

test('changes are in the encoding of the archive, and the archive is proved', async () => {
  await seed();
  const time: object = { id: 'timely', at: r.epochTime(1_500_000_000) };
  const ended = await interrupted((connection) => early.insert(time).run(connection), '--document-encoding', 'dtr');
  expect(ended.exitCode).toBe(0);
  const { files } = await checkArchive(ended.stdout);
  expect(JSON.parse(String(files.get('dtr-backup-v2.5.3/changes/early/0')))).toMatchObject({
    ...{ type: 'add', new_val: { id: 'timely', at: '2017-07-14T02:40:00Z' } },
  });
  const verified = await runProgram(['verify', '-'], { stdin: ended.stdout });
  expect({ exitCode: verified.exitCode, report: verified.stdout.toString() }).toMatchObject({ exitCode: 0 });
});

describe('a server that cannot give rows and changes in one feed', () => {
  test('is scanned with a warning, and refused with 11 where a snapshot was asked for', async () => {
    await using old = await startReqlServer({ kind: 'reqlite', withoutInitial: true });
    await seedEvents(old, 10);
    const ended = await runProgram(directFlags(old));
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toMatch(/WARN.*falling back to --consistency scan/);
    expect((await checkArchive(ended.stdout)).plan.consistency).toBe('scan');
    expectFailure(await runProgram([...directFlags(old), '--consistency', 'snapshot']), 11, /--consistency snapshot/);
  });
});
