/** The seeded replica: complete, the same every time, and quickly read even when it is large. */
import { expect, test } from '@jest/globals';
import { r, withConnection } from '../../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';
import { seedEvents, eventText } from '../../support/replica/seed-events.js';
import { emptyTables, replicaTables } from '../../support/replica/seed-tables.js';
import { seedReplica } from '../../support/replica/seed.js';

async function withServer(use: (server: ReqlServer) => Promise<void>): Promise<void> {
  const server = await startReqlServer();
  process.stderr.write(`${server.kind} ${server.version}\n`);
  try {
    await use(server);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

async function allTexts(server: ReqlServer): Promise<readonly string[]> {
  return withConnection(server, async (connection) => {
    const texts: string[] = [];
    for (const { database, name, primaryKey } of replicaTables) {
      const ordered = r.db(database).table(name).orderBy({ index: primaryKey });
      texts.push(...((await ordered.map((row) => row.toJSON()).run(connection)) as string[]));
    }
    return texts;
  });
}

test('holds 26 tables for a backup and three that are none of its business', async () => {
  expect(replicaTables.filter(({ inBackup }) => inBackup)).toHaveLength(26);
  expect(replicaTables.filter(({ inBackup }) => !inBackup).map(({ name }) => name)).toEqual([
    'jobs',
    'joblogs',
    'action_configs',
  ]);
  await withServer(async (server) => {
    const totals = await seedReplica(server, { repositories: 200 });
    for (const { database, name } of replicaTables) {
      const total = totals.get(`${database}.${name}`) ?? -1;
      expect([name, total > 0]).toEqual([name, !emptyTables.has(name)]);
    }
    expect(totals.get('dtr2.repositories')).toBe(200);
    const first = await allTexts(server);
    expect(first).toHaveLength([...totals.values()].reduce((sum, total) => sum + total, 0));
    const manifests = first.filter((text) => text.includes('"dockerfile"'));
    expect(manifests.every((text) => text.length > 1500)).toBe(true);
  });
});

test('is the same on every server', async () => {
  let first: readonly string[] = [];
  for (const attempt of [1, 2]) {
    await withServer(async (server) => {
      await seedReplica(server, { repositories: 8, events: 20 });
      const texts = await allTexts(server);
      if (attempt === 1) first = texts;
      else expect(texts).toEqual(first);
    });
  }
});

test('a hundred thousand events are written and read without growing slower', async () => {
  await withServer(async (server) => {
    await seedEvents(server, 100_000);
    expect(eventText(99_999).length).toBeGreaterThan(700);
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
        if (rows % 25_000 === 0) marks.push(performance.now());
        if (rows === 100_000) expect(JSON.parse(text)).toMatchObject({ sequence: 99_999 });
      }
      expect(rows).toBe(100_000);
      const quarters = marks.slice(1).map((mark, index) => mark - (marks[index] ?? 0));
      expect(Math.max(...quarters.slice(1))).toBeLessThan(20_000);
    });
  });
});
