/**
 * What tests put into a ReQL server: the seeded replica, complete and the same every time; many events, quickly read; odd
 * documents, which come back as they went in.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { r, withConnection } from '../../support/replica/driver.js';
import { bigDocument, changedByRethinkdb, insertOddDocuments } from '../../support/replica/odd-documents.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';
import { seedEvents, eventText } from '../../support/replica/seed-events.js';
import { emptyTables, replicaTables } from '../../support/replica/seed-tables.js';
import { seedReplica } from '../../support/replica/seed.js';
import { clearServer } from '../../support/restoring.js';
import { scaled } from '../../support/scale.js';

/** Creating tables is slow on RethinkDB, and slower on a busy machine. */
const timeoutMs = 180_000;

let server: ReqlServer;
beforeAll(async () => {
  server = await startReqlServer();
  process.stderr.write(`${server.kind} ${server.version}\n`);
}, timeoutMs);
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(() => clearServer(server), timeoutMs);

async function allTexts(): Promise<readonly string[]> {
  return withConnection(server, async (connection) => {
    const texts: string[] = [];
    for (const { database, name, primaryKey } of replicaTables) {
      const ordered = r.db(database).table(name).orderBy({ index: primaryKey });
      texts.push(...((await ordered.map((row) => row.toJSON()).run(connection)) as string[]));
    }
    return texts;
  });
}

test('the replica has 26 tables for a backup and three that are none of its business', () => {
  expect(replicaTables.filter(({ inBackup }) => inBackup)).toHaveLength(26);
  expect(replicaTables.filter(({ inBackup }) => !inBackup).map(({ name }) => name)).toEqual([
    'jobs',
    'joblogs',
    'action_configs',
  ]);
});

test(
  'the replica has rows in every table that is not empty, and the same ones when it is seeded again',
  async () => {
    const repositories = scaled(12, 200);
    const totals = await seedReplica(server, { repositories, events: scaled(50, 2000) });
    for (const { database, name } of replicaTables) {
      const total = totals.get(`${database}.${name}`) ?? -1;
      expect([name, total > 0]).toEqual([name, !emptyTables.has(name)]);
    }
    expect(totals.get('dtr2.repositories')).toBe(repositories);
    const first = await allTexts();
    expect(first).toHaveLength([...totals.values()].reduce((sum, total) => sum + total, 0));
    const manifests = first.filter((text) => text.includes('"dockerfile"'));
    expect(manifests.every((text) => text.length > 1500)).toBe(true);

    await clearServer(server);
    await seedReplica(server, { repositories, events: scaled(50, 2000) });
    expect(await allTexts()).toEqual(first);
  },
  timeoutMs,
);

test(
  'many events are written and read without growing slower',
  async () => {
    const count = scaled(12_000, 100_000);
    await seedEvents(server, count);
    expect(eventText(count - 1).length).toBeGreaterThan(700);
    await withConnection(server, async (connection) => {
      const cursor = await r
        .db('dtr2')
        .table('events')
        .orderBy({ index: 'id' })
        .map((row) => row.toJSON())
        .getCursor(connection);
      const marks: number[] = [performance.now()];
      let rows = 0;
      for await (const text of cursor as AsyncIterable<string>) {
        rows += 1;
        if (rows % (count / 4) === 0) marks.push(performance.now());
        if (rows === count) expect(JSON.parse(text)).toMatchObject({ sequence: count - 1 });
      }
      expect(rows).toBe(count);
      const quarters = marks.slice(1).map((mark, index) => mark - (marks[index] ?? 0));
      // Work that grows with the position makes the last quarter seven times the first.
      expect(quarters.at(-1)).toBeLessThan(5 * (quarters[0] ?? 0) + 500);
    });
  },
  timeoutMs,
);

test('every odd document is given back by toJSON as it was stored', async () => {
  const bigMegabytes = scaled(2, 20);
  await withConnection(server, async (connection) => {
    await r.dbCreate('odd').run(connection);
    await r.db('odd').tableCreate('documents').run(connection);
    const written = await insertOddDocuments(connection, server.kind, 'odd', 'documents', { bigMegabytes });
    const table = r.db('odd').table('documents');
    const cursor = await table
      .orderBy({ index: 'id' })
      .map((row) => row.toJSON())
      .getCursor(connection);
    const read = new Map<string, string>();
    for await (const text of cursor as AsyncIterable<string>) read.set(idOf(text), text);
    expect(read.size).toBe(written.length);
    for (const text of written) {
      const stored = read.get(idOf(text)) ?? 'null';
      expect(JSON.parse(stored)).toEqual(JSON.parse(text));
      // Jest looks past a field named __proto__; texts do not.
      expect(sortedText(stored)).toBe(sortedText(text));
    }
    expect(read.get('"big"')?.length).toBe(bigDocument('big', bigMegabytes).length);
  });
});

test('what RethinkDB changes of a document it changes once, and never again', async () => {
  if (server.kind !== 'rethinkdb') {
    process.stderr.write('SKIPPED: no RethinkDB, so what it changes of documents is not tried\n');
    return;
  }
  await withConnection(server, async (connection) => {
    for (const { sent, stored } of changedByRethinkdb) {
      const once = await r.json(sent).toJSON().run(connection);
      expect(JSON.parse(once)).toEqual(JSON.parse(stored));
      expect(await r.json(once).toJSON().run(connection)).toBe(once);
    }
  });
});

function idOf(text: string): string {
  return JSON.stringify((JSON.parse(text) as { id: unknown }).id);
}

/** The text with all fields in one order; arrays of fields keep the names that objects may lose. */
function sortedText(text: string): string {
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
      : value,
  );
}
