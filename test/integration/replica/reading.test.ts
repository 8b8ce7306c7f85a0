/** What the product's reading path asks of a ReQL server: held against RethinkDB, and against the embedded one. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RQuery } from 'rethinkdb-ts';
import { r, type Connection } from '../../support/replica/driver.js';
import { keyDocument, oddKeys, refusedKeys } from '../../support/replica/odd-documents.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';
import { seedEvents } from '../../support/replica/seed-events.js';
import { scaled } from '../../support/scale.js';

/** Six megabytes of JSON, in batches of one. */
const manyRows = scaled(8000, 20_000);
let server: ReqlServer;
let connection: Connection;

beforeAll(async () => {
  server = await startReqlServer();
  process.stderr.write(`${server.kind} ${server.version}\n`);
  connection = await r.connect({ silent: true, host: server.host, port: server.port });
  await r.dbCreate('reading').run(connection);
  for (const table of ['keys', 'none']) await r.db('reading').tableCreate(table).run(connection);
  await r
    .db('reading')
    .table('keys')
    .insert(r.json(`[${oddKeys.map(keyDocument).join(',')}]`))
    .run(connection);
  await seedEvents(server, manyRows, { database: 'reading', table: 'many' });
});

afterAll(async () => {
  await connection.close();
  await server[Symbol.asyncDispose]();
});

function table(name: string): ReturnType<typeof r.table> {
  return r.db('reading').table(name);
}

describe('primary-key order', () => {
  test("is RethinkDB's for keys of every type", async () => {
    const texts = (await table('keys')
      .orderBy({ index: 'id' })
      .map((row) => row.toJSON())
      .run(connection)) as string[];
    const keys = texts.map((text) => (JSON.parse(text) as { key: unknown }).key);
    expect(keys).toEqual(oddKeys.map((key) => JSON.parse(key) as unknown));
  });

  test.each(oddKeys.map((key, index) => [key.slice(0, 40), index] as const))('goes on after %s', async (_, index) => {
    const bounds = { leftBound: 'open', rightBound: 'closed', index: 'id' } as const;
    const rest = (await table('keys')
      .between(r.json(oddKeys[index] ?? ''), r.maxval, bounds)
      .orderBy({ index: 'id' })
      .map((row) => row.toJSON())
      .run(connection)) as string[];
    expect(rest.map((text) => JSON.parse(text) as unknown)).toEqual(
      oddKeys.slice(index + 1).map((key) => JSON.parse(keyDocument(key)) as unknown),
    );
  });

  test('refuses what cannot be a key', async () => {
    // The embedded server knows no length limit and takes NUL.
    const refused = server.kind === 'rethinkdb' ? refusedKeys : refusedKeys.slice(4);
    for (const key of refused) {
      const result = await table('none')
        .insert(r.json(keyDocument(key)))
        .run(connection);
      expect([key, result.errors]).toEqual([key, 1]);
    }
  });
});

describe('cursors', () => {
  test('bring many thousands of rows in batches, in order', async () => {
    const cursor = await table('many')
      .orderBy({ index: 'id' })
      .map((row) => row.toJSON())
      .getCursor(connection);
    const batches = new Set<unknown>();
    let sequence = 0;
    for await (const text of cursor as AsyncIterable<string>) {
      expect((JSON.parse(text) as { sequence: number }).sequence).toBe(sequence);
      sequence += 1;
      batches.add((cursor as unknown as { results: unknown }).results);
    }
    expect(sequence).toBe(manyRows);
    expect(batches.size).toBeGreaterThan(5);
    expect(await table('many').count().run(connection)).toBe(manyRows);
  });

  test('can be stopped half-way and while a batch is on its way', async () => {
    for (const rows of [1, 600]) {
      const cursor = await table('many')
        .orderBy({ index: 'id' })
        .map((row) => row.toJSON())
        .getCursor(connection);
      for (let row = 0; row < rows; row += 1) await cursor.next();
      await cursor.close();
    }
    const cursor = await table('many').getCursor(connection, { maxBatchRows: 1 });
    await cursor.next();
    const pending = cursor.next().catch((error: unknown) => error);
    await cursor.close();
    await pending;
    expect(await table('none').count().run(connection)).toBe(0);
  });

  test('are empty for an empty table', async () => {
    expect(
      await table('none')
        .orderBy({ index: 'id' })
        .map((row) => row.toJSON())
        .run(connection),
    ).toEqual([]);
  });

  test('of a feed give changes, and end when they are stopped while waiting', async () => {
    const feed = await table('none').changes().run(connection);
    const first = feed.next();
    await table('none').insert({ id: 'new' }).run(connection);
    expect(await first).toMatchObject({ new_val: { id: 'new' } });
    const pending = feed.next().catch((error: unknown) => error);
    await feed.close();
    await pending;
    await table('none').get('new').delete().run(connection);
    expect(await table('none').count().run(connection)).toBe(0);
  });
});

describe('a feed with initial values', () => {
  test('gives states and rows, and then what is new', async () => {
    const options = { includeInitial: true, includeStates: true, includeTypes: true, squash: false };
    const rows = table('initial');
    await r.db('reading').tableCreate('initial').run(connection);
    await rows.insert({ id: 1 }).run(connection);
    const feed = await rows.changes(options).run(connection);
    expect(await feed.next()).toEqual({ state: 'initializing', type: 'state' });
    expect(await feed.next()).toEqual({ new_val: { id: 1 }, type: 'initial' });
    expect(await feed.next()).toEqual({ state: 'ready', type: 'state' });
    await rows.insert({ id: 2 }).run(connection);
    expect(await feed.next()).toEqual({ old_val: null, new_val: { id: 2 }, type: 'add' });
    await rows.get(1).replace({ id: 1, ok: true }).run(connection);
    expect(await feed.next()).toEqual({ old_val: { id: 1 }, new_val: { id: 1, ok: true }, type: 'change' });
    await rows.get(2).delete().run(connection);
    expect(await feed.next()).toEqual({ old_val: { id: 2 }, new_val: null, type: 'remove' });
    await feed.close();
    await r.db('reading').tableDrop('initial').run(connection);
  });
});

describe('errors are answered', () => {
  test.each([
    [
      'a missing table',
      () =>
        table('missing')
          .orderBy({ index: 'id' })
          .map((row) => row.toJSON()),
      /`reading.missing` does not/,
    ],
    ['a missing database', () => r.db('missing').table('x').count(), /Database `missing` does not exist/],
    ['a bad table name', () => table('no such!').count(), /Table name `no such!` invalid/],
    ['a missing index', () => table('many').orderBy({ index: 'nope' }), /Index `nope` was not found/],
    ['an error in the first batch', () => table('many').map((row) => row('nope').toJSON()), /No attribute `nope`/],
    ['a user error', () => r.error('ping') as RQuery, /ping/],
  ] as [string, () => RQuery, RegExp][])('%s', async (_, query, message) => {
    await expect(query().run(connection)).rejects.toThrow(message);
    expect(await r.expr(1).run(connection)).toBe(1);
  });

  test('where the server has no such command', async () => {
    const isRethinkdb = server.kind === 'rethinkdb';
    for (const [query, isKnown] of [
      [table('many').config(), isRethinkdb],
      [table('many').getWriteHook(), server.hasWriteHooks],
      [table('many').status(), isRethinkdb],
    ] as const) {
      const answer = query.run(connection);
      if (isKnown) await answer;
      else await expect(answer).rejects.toThrow();
    }
  });
});

describe('the catalog', () => {
  test('lists databases and tables', async () => {
    expect(await r.dbList().run(connection)).toEqual(expect.arrayContaining(['rethinkdb', 'test', 'reading']));
    const tables = await r.db('reading').tableList().run(connection);
    expect(tables.toSorted()).toEqual(['keys', 'many', 'none']);
  });

  test('tells primary key, database and secondary indexes', async () => {
    const db = r.db('reading');
    await db.tableCreate('indexed', { primaryKey: 'gun_role_version' }).run(connection);
    await table('indexed').indexCreate('gun').run(connection);
    await table('indexed')
      .indexCreate('gun_role', [r.row('gun'), r.row('role')])
      .run(connection);
    await table('indexed').indexCreate('labels', { multi: true }).run(connection);
    await table('indexed').indexWait().run(connection);
    expect(await table('indexed').info().run(connection)).toMatchObject({
      type: 'TABLE',
      name: 'indexed',
      primary_key: 'gun_role_version',
      db: { name: 'reading', type: 'DB' },
      indexes: ['gun', 'gun_role', 'labels'],
    });
    const statuses = await table('indexed').indexStatus().run(connection);
    expect(statuses.map(({ index, multi, geo, ready }) => [index, multi, geo, ready]).toSorted()).toEqual([
      ['gun', false, false, true],
      ['gun_role', false, false, true],
      ['labels', true, false, true],
    ]);

    // The functions are opaque bytes that make the same index elsewhere. The driver takes bare bytes for options.
    await db.tableCreate('copied', { primaryKey: 'gun_role_version' }).run(connection);
    for (const status of statuses) {
      await table('copied').indexCreate(status.index, r.expr(status.function)).run(connection);
    }
    await table('copied').indexWait().run(connection);
    await table('copied')
      .insert({ gun_role_version: ['g', 'root', 1], gun: 'g', role: 'root', labels: ['x'] })
      .run(connection);
    expect(await table('copied').getAll(['g', 'root'], { index: 'gun_role' }).count().run(connection)).toBe(1);
    expect(await table('copied').getAll('x', { index: 'labels' }).count().run(connection)).toBe(1);
  });

  test('tells the server and its health', async () => {
    expect(await r.db('rethinkdb').table('current_issues').run(connection)).toEqual([]);
    const [status] = (await r.db('rethinkdb').table('server_status').run(connection)) as unknown[];
    expect(status).toMatchObject({ process: { version: expect.stringContaining(`${server.kind} ${server.version}`) } });
  });
});
