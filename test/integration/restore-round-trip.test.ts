// Backup, restore into an empty server, backup: the second archive is the first one but for its times.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Manifest } from '#src/model/manifest.js';
import { checkArchive, type CheckedArchive } from '../support/archive-check.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import type { Ended } from '../support/command.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { insertOddDocuments } from '../support/replica/odd-documents.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedReplica } from '../support/replica/seed.js';
import { clearServer, expectDone, readTable, restoreFlags, tableNames } from '../support/restoring.js';

// Annotated, not asserted: the driver's types take it for a database's, and an assertion costs eslint half a minute.
const singleAck: object = { write_acks: 'single' };

let source: ReqlServer;
let target: ReqlServer;
let directory: string;
let file: string;
let first: Buffer;
let firstArchive: CheckedArchive;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  file = join(directory, 'first.tar');
  source = await startReqlServer();
  target = await startReqlServer();
  announceServer(source);
  await seedReplica(source, { repositories: 40, events: 3000 });
  await withConnection(source, async (connection) => {
    await r.db('dtr2').tableCreate('odd').run(connection);
    await insertOddDocuments(connection, source.kind, 'dtr2', 'odd', { bigMegabytes: 20 });
    const tags = r.db('dtr2').table('tags');
    await r.db('dtr2').table('events').indexCreate('place', { geo: true }).run(connection);
    if (source.kind === 'reqlite') return;
    await tags.setWriteHook((_context, _before, after) => after.merge({ hooked: true })).run(connection);
    await r.db('dtr2').table('metrics').config().update(singleAck).run(connection);
  });
  first = await backup(source);
  firstArchive = await checkArchive(first);
  writeFileSync(file, first);
}, 180_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

async function backup(server: ReqlServer): Promise<Buffer> {
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
function timeless({ manifest }: CheckedArchive): Partial<Manifest> {
  const { startedAt, finishedAt, leftOut, tables, ...rest } = manifest;
  return { ...rest, tables: tables.map(({ readyAt, cutAt, ...table }) => table) };
}

async function expectSameArchive(server: ReqlServer): Promise<void> {
  const second = await checkArchive(await backup(server));
  expect(timeless(second)).toEqual(timeless(firstArchive));
  expect(second.names).toEqual(firstArchive.names);
  for (const { name } of firstArchive.manifest.tables) {
    expect(second.documents(name)).toEqual(firstArchive.documents(name));
  }
}

describe.each([
  ['a file', () => runProgram([...restoreFlags(target, '2.5.3'), file])],
  ['a file that is not verified first', () => runProgram([...restoreFlags(target, '2.5.3'), '--skip-verify', file])],
  ['stdin', () => runProgram([...restoreFlags(target, '2.5.3'), '--verify', '-'], { stdin: first })],
])('restored from %s into an empty server', (_from, restore) => {
  test('a replica is backed up again as it was: documents, keys, indexes, hooks', async () => {
    await clearServer(target);
    expectComplete(await restore());
    await expectSameArchive(target);
  }, 120_000);
});

test('the indexes and the hook work, not only look the same', async () => {
  await clearServer(target);
  expectComplete(await runProgram([...restoreFlags(target, '2.5.3'), file]));
  await withConnection(target, async (connection) => {
    const tags: unknown = await r.db('dtr2').table('tags').limit(1).coerceTo('array').run(connection);
    const [{ repository, digest }] = tags as [{ repository: string; digest: string }];
    const found = r
      .db('dtr2')
      .table('tags')
      .getAll(r.expr([repository, digest]), { index: 'repository_digest' });
    expect(await found.count().run(connection)).toBeGreaterThan(0);
    // The load itself went past the hook.
    expect((await readTable(target, 'dtr2.tags')).texts.join()).not.toContain('hooked');
    if (target.kind === 'reqlite') return;
    await r.db('dtr2').table('tags').insert({ pk: 'new' }).run(connection);
    expect(await r.db('dtr2').table('tags').get('new').run(connection)).toEqual({ pk: 'new', hooked: true });
  });
});

interface TablePlan {
  readonly name: string;
  readonly indexesToCreate: readonly string[];
}

test('a dry run prints the plan, for people and for programs, and writes nothing', async () => {
  await clearServer(target);
  const people = await runProgram([...restoreFlags(target, '2.5.3'), '--dry-run', file]);
  expect(people.exitCode).toBe(0);
  expect(people.stdout.toString()).toMatch(
    /^dtr2\.events +3,000 +no table +create it with the primary key id, 1 shard/m,
  );
  for (const stdin of [first, undefined]) {
    const flags = [...restoreFlags(target, '2.5.3'), '--dry-run', '--json', stdin === undefined ? file : '-'];
    const programs = await runProgram(flags, stdin && { stdin });
    const plan = JSON.parse(programs.stdout.toString()) as { tables: TablePlan[]; isBegun: boolean };
    expect(plan.isBegun).toBe(false);
    expect(plan.tables).toHaveLength(27);
    const events = plan.tables.find(({ name }) => name === 'events');
    expect({ ...events, indexesToCreate: events?.indexesToCreate.toSorted() }).toEqual({
      ...{ database: 'dtr2', name: 'events', primaryKey: 'id', action: 'create', documents: 3000, changes: 0 },
      ...{ shards: 1, replicas: 1, indexesToDrop: [], indexesToCreate: ['actor', 'place', 'publishedAt'] },
    });
  }
  expect(await tableNames(target)).toEqual([]);
});
