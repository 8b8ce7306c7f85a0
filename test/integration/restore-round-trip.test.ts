// Backup, restore into an empty server, backup: the second archive is the first one but for its times.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeArchive, type SampleTable } from '../support/archive/sample.js';
import { checkArchive, type CheckedArchive } from '../support/archive-check.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import type { Ended } from '../support/command.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { insertOddDocuments } from '../support/replica/odd-documents.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedReplica } from '../support/replica/seed.js';
import { clearServer, expectDone, readTable, restoreFlags, tableNames, type TableState } from '../support/restoring.js';
import { scaled } from '../support/scale.js';

// Annotated, not asserted: the driver's types take it for a database's, and an assertion costs eslint half a minute.
const singleAck: object = { write_acks: 'single' };

/** MSR 3 keeps users and teams in such a one. */
const unknownDatabases = ['accounts', 'mirror'];

const eventCount = scaled(1200, 3000);

let server: ReqlServer;
let directory: string;
let file: string;
let first: Buffer;
let firstArchive: CheckedArchive;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  file = join(directory, 'first.tar');
  server = await startReqlServer();
  announceServer(server);
  await seedReplica(server, { repositories: scaled(8, 40), events: eventCount });
  await withConnection(server, async (connection) => {
    await r.db('dtr2').tableCreate('odd').run(connection);
    // Databases that no list names, before and after dtr2, with a table of the same name as one of dtr2.
    for (const database of unknownDatabases) {
      await r.dbCreate(database).run(connection);
      await r.db(database).tableCreate('tags', { primaryKey: 'key' }).run(connection);
      await r
        .db(database)
        .table('tags')
        .insert([{ key: 'a' }, { key: database }])
        .run(connection);
    }
    await insertOddDocuments(connection, server.kind, 'dtr2', 'odd', { bigMegabytes: scaled(2, 20) });
    const tags = r.db('dtr2').table('tags');
    await r.db('dtr2').table('events').indexCreate('place', { geo: true }).run(connection);
    if (server.kind === 'reqlite') return;
    await r.db('dtr2').table('metrics').config().update(singleAck).run(connection);
    if (!server.hasWriteHooks) return;
    await tags.setWriteHook((_context, _before, after) => after.merge({ hooked: true })).run(connection);
  });
  first = await backup();
  firstArchive = await checkArchive(first);
  writeFileSync(file, first);
}, 180_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

async function backup(): Promise<Buffer> {
  // Two snapshots may give the same rows in two orders.
  const { exitCode, stdout, stderr } = await runProgram([...directFlags(server), '--consistency', 'scan']);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

function expectComplete(ended: Ended): void {
  expectDone(ended);
  expect(ended.stdout.toString()).not.toContain('INCOMPLETE');
}

/** All that an archive holds, without the times of its run and what it left out. */
function timeless({ plan, manifest }: CheckedArchive): unknown {
  const { startedAt, leftOut, ...planned } = plan;
  const { finishedAt, planChecksum, tables, ...rest } = manifest;
  return { planned, ...rest, tables: tables.map(({ readyAt, cutAt, ...table }) => table) };
}

async function expectSameArchive(): Promise<void> {
  for (const database of unknownDatabases) {
    expect(firstArchive.documents(`${database}.tags`)).toEqual(['{"key":"a"}', `{"key":"${database}"}`]);
  }
  const second = await checkArchive(await backup());
  expect(timeless(second)).toEqual(timeless(firstArchive));
  expect(second.names).toEqual(firstArchive.names);
  for (const { directory } of firstArchive.manifest.tables) {
    expect(second.documents(directory)).toEqual(firstArchive.documents(directory));
  }
}

describe.each([
  ['a file', () => runProgram([...restoreFlags(server, '2.5.3'), file])],
  ['a file that is not verified first', () => runProgram([...restoreFlags(server, '2.5.3'), '--skip-verify', file])],
  ['stdin', () => runProgram([...restoreFlags(server, '2.5.3'), '--verify', '-'], { stdin: first })],
])('restored from %s into an empty server', (_from, restore) => {
  test('a replica is backed up again as it was: documents, keys, indexes, hooks', async () => {
    await clearServer(server);
    expectComplete(await restore());
    await expectSameArchive();
  }, 120_000);
});

test('the indexes and the hook work, not only look the same', async () => {
  await clearServer(server);
  expectComplete(await runProgram([...restoreFlags(server, '2.5.3'), '--table', 'dtr2.tags', file]));
  await withConnection(server, async (connection) => {
    const tags: unknown = await r.db('dtr2').table('tags').limit(1).coerceTo('array').run(connection);
    const [{ repository, digest }] = tags as [{ repository: string; digest: string }];
    const found = r
      .db('dtr2')
      .table('tags')
      .getAll(r.expr([repository, digest]), { index: 'repository_digest' });
    expect(await found.count().run(connection)).toBeGreaterThan(0);
    // The load itself went past the hook.
    expect((await readTable(server, 'dtr2.tags')).texts.join()).not.toContain('hooked');
    if (!server.hasWriteHooks) return;
    await r.db('dtr2').table('tags').insert({ pk: 'new' }).run(connection);
    expect(await r.db('dtr2').table('tags').get('new').run(connection)).toEqual({ pk: 'new', hooked: true });
  });
});

interface TablePlan {
  readonly name: string;
  readonly indexesToCreate: readonly string[];
}

test('a dry run prints the plan, for people and for programs, and writes nothing', async () => {
  await clearServer(server);
  const people = await runProgram([...restoreFlags(server, '2.5.3'), '--dry-run', file]);
  expect(people.exitCode).toBe(0);
  expect(people.stdout.toString()).toMatch(
    new RegExp(
      `^dtr2\\.events +${eventCount.toLocaleString('en')} +no table +create it with the primary key id, 1 shard`,
      'm',
    ),
  );
  for (const stdin of [first, undefined]) {
    const flags = [...restoreFlags(server, '2.5.3'), '--dry-run', '--json', stdin === undefined ? file : '-'];
    const programs = await runProgram(flags, stdin && { stdin });
    const plan = JSON.parse(programs.stdout.toString()) as { tables: TablePlan[]; isBegun: boolean };
    expect(plan.isBegun).toBe(false);
    expect(plan.tables).toHaveLength(29);
    const events = plan.tables.find(({ name }) => name === 'events');
    expect({ ...events, indexesToCreate: events?.indexesToCreate.toSorted() }).toEqual({
      ...{ database: 'dtr2', name: 'events', primaryKey: 'id', action: 'create', documents: eventCount, changes: 0 },
      ...{ shards: 1, replicas: 1, indexesToDrop: [], indexesToCreate: ['actor', 'place', 'publishedAt'] },
    });
  }
  expect(await tableNames(server)).toEqual([]);
});

describe('an archive with changes', () => {
  const time = (seconds: number, zone = '+00:00'): string =>
    `{"$reql_type$":"TIME","epoch_time":${seconds},"timezone":"${zone}"}`;
  const change = (before: string, after: string): string =>
    `{"new_val":${after},"old_val":${before},"type":"${before === 'null' ? 'add' : after === 'null' ? 'remove' : 'change'}"}`;
  const row = (id: string, value: number): string => `{"id":${id},"value":${value}}`;

  const journalTables: readonly SampleTable[] = [
    {
      name: 'events',
      texts: ['3', '"é"', '[1,"x"]', time(7), '1', '2'].map((id) => row(id, 0)),
      changes: [
        change(row('1', 0), row('1', 1)),
        change(row('1', 1), 'null'),
        change('null', row('1', 2)),
        change(row('"é"', 0), 'null'),
        change(row('[1,"x"]', 0), row('[1,"x"]', 3)),
        change(row(time(7), 0), row(time(7, '+02:00'), 4)),
        change('null', row('"new"', 5)),
        change('null', row('"brief"', 6)),
        change(row('"brief"', 6), 'null'),
      ],
    },
    { name: 'tags', primaryKey: 'pk', texts: ['{"pk":"b"}', '{"pk":"a"}'] },
  ];

  async function restored(name: string): Promise<TableState[]> {
    await clearServer(server);
    // Compared with the archive, its changes folded in, by the program as well.
    expectDone(await runProgram([...restoreFlags(server), '--verify', join(directory, name)]));
    return [await readTable(server, 'dtr2.events'), await readTable(server, 'dtr2.tags')];
  }

  test('and the one that convert folds it into are restored to the same tables', async () => {
    writeFileSync(join(directory, 'b.tar'), await makeArchive(journalTables, { journalsInside: true }));
    const output = join(directory, 'folded.tar');
    expectDone(await runProgram(['convert', '--output', output, '--verify', join(directory, 'b.tar')]));
    const whole = await restored('b.tar');
    expect(whole[0]?.texts).toHaveLength(6);
    expect(await restored('folded.tar')).toEqual(whole);
  });
});
