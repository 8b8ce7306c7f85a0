/** What the product's writing path asks of a ReQL server: documents byte for byte, and the comparison with them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RethinkSession } from '#src/rethink/session.js';
import { findDifferences, writeChanges, writeDocuments, type WritableTable } from '#src/rethink/table-writer.js';
import { silentContext } from '../../support/archive/sample.js';
import { r, withConnection, type Connection } from '../../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';

let server: ReqlServer;
let session: RethinkSession;
const table: WritableTable = { database: 'writing', name: 'some', primaryKey: 'é', writeHook: null };
const entries = (...bodies: Buffer[]) => ({ bodies, nameOf: (index: number) => `entry ${index}` });

beforeAll(async () => {
  server = await startReqlServer();
  process.stderr.write(`${server.kind} ${server.version}\n`);
  const address = { host: server.host, port: server.port };
  const options = { address, insecureSkipVerify: false, connectWindowMs: 10_000, readTimeoutMs: 30_000 };
  session = new RethinkSession(options, silentContext);
  await inTable(async (connection) => {
    await r.dbCreate('writing').run(connection);
    await r.db('writing').tableCreate('some', { primaryKey: 'é' }).run(connection);
  });
}, 60_000);
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => inTable((connection) => r.db('writing').table('some').delete().run(connection)));

function inTable<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
  return withConnection(server, use);
}

function textsOf(): Promise<string[]> {
  return inTable(async (connection) => {
    const all = r.db('writing').table('some');
    return ((await all.map((row) => row.toJSON()).run(connection)) as string[]).sort();
  });
}

const utf8 = (text: string): Buffer => Buffer.from(text);
const around = (before: string, bytes: readonly number[], after: string): Buffer =>
  Buffer.concat([utf8(before), Buffer.from(bytes), utf8(after)]);

describe('documents', () => {
  test('stay as they are: pseudo-types, odd names, arrays, numbers', async () => {
    const text =
      '{"":[1,[2,{"x":[]}]],"$a":-0.5,"__proto__":{"n":1e+300},"t":{"$reql_type$":"TIME","epoch_time":1.5,"timezone":"+01:00"},"é":"k"}';
    await writeDocuments(session, table, entries(utf8(text)));
    expect((await textsOf()).map((one) => JSON.parse(one) as unknown)).toEqual([JSON.parse(text) as unknown]);
    expect(await findDifferences(session, table, [utf8(text)])).toEqual([]);
  });

  test('with halves of characters in values, names and keys have the same bytes on the server', async () => {
    if (server.kind === 'reqlite') {
      process.stderr.write('reqlite: SKIPPED, it holds texts as JavaScript does\n');
      return;
    }
    const high = [0xed, 0xa0, 0x80];
    const lowKey = around('{"é":"', [0xed, 0xb0, 0x80], '","v":"low"}');
    const value = around('"', high, ' x"');
    const whole = Buffer.concat([
      around('{"m":{"', high, '":'),
      value,
      around('},"é":"', high, '","v":'),
      value,
      utf8('}'),
    ]);
    await writeDocuments(session, table, entries(lowKey, whole));
    expect(await findDifferences(session, table, [lowKey, whole])).toEqual([]);
    const bytes = (field: string): Promise<string[]> =>
      inTable(async (connection) => {
        const found: unknown = await r
          .db('writing')
          .table('some')
          .map((row) => row(field).coerceTo('binary'))
          .coerceTo('array')
          .run(connection);
        return (found as Buffer[]).map((one) => one.toString('hex')).sort();
      });
    expect(await bytes('é')).toEqual(['eda080', 'edb080']);
    expect(await bytes('v')).toEqual(['6c6f77', 'eda0802078']);

    const removal = around('{"new_val":null,"old_val":{"é":"', high, '"},"type":"remove"}');
    expect(await writeChanges(session, table, entries(removal))).toBe(-1);
    expect(await bytes('é')).toEqual(['edb080']);
  });

  test('that are no JSON objects by themselves are never sent', async () => {
    for (const text of ['{"é":1}],[57,["injected"', '{"é":1},{"é":2}', '[1]', '{"é":1\0}']) {
      await expect(writeDocuments(session, table, entries(utf8(text)))).rejects.toMatchObject({
        exitCode: 7,
        message: 'cannot write entry 0 into writing.some: it is not a JSON object',
      });
    }
    expect(await textsOf()).toEqual([]);
  });

  test('of 80 MiB that are mostly quotes fit one query', async () => {
    if (server.kind === 'reqlite') {
      process.stderr.write('reqlite: SKIPPED, it takes minutes for a large document\n');
      return;
    }
    const body = Buffer.concat([utf8('{"v":"'), Buffer.alloc(80 * 1024 * 1024, '\\"'), utf8('","é":"large"}')]);
    await writeDocuments(session, table, entries(body));
    const count = await inTable((connection) => r.db('writing').table('some').count().run(connection));
    expect(count).toBe(1);
  }, 60_000);
});

describe('changes', () => {
  test('put the last word on each key, and remove by keys of every type', async () => {
    const keys = ['"k"', '7', '[1,["a",true]]', '{"$reql_type$":"TIME","epoch_time":2,"timezone":"+00:00"}'];
    await writeDocuments(session, table, entries(...keys.map((key) => utf8(`{"é":${key}}`))));
    const remove = (key: string): Buffer => utf8(`{"new_val":null,"old_val":{"é":${key}},"type":"remove"}`);
    const put = utf8('{"new_val":{"v":2,"é":7},"old_val":{"é":7},"type":"change"}');
    const growth = await writeChanges(session, table, entries(...keys.map(remove), put));
    expect({ growth, texts: await textsOf() }).toEqual({ growth: -4, texts: ['{"v":2,"é":7}'] });
  });
});

describe('differences', () => {
  test('are found in a member, in a zone of a time, and where there is no document; not in order and spelling', async () => {
    const time = (zone: string): string => `{"$reql_type$":"TIME","epoch_time":1.5,"timezone":"${zone}"}`;
    const there = ['{"a":1,"é":"a"}', `{"t":${time('+01:00')},"é":"b"}`, '{"n":100,"z":0,"é":"c"}'];
    await writeDocuments(session, table, entries(...there.map(utf8)));
    const wanted = ['{"a":2,"é":"a"}', `{"t":${time('+02:00')},"é":"b"}`, '{"é":"c","z":0,"n":1e2}', '{"é":"none"}'];
    // The embedded server keeps what it got in its own spelling and order.
    const expected = server.kind === 'reqlite' ? expect.arrayContaining([0, 1, 3]) : [0, 1, 3];
    expect(await findDifferences(session, table, wanted.map(utf8))).toEqual(expected);
    expect(await findDifferences(session, table, there.map(utf8))).toEqual([]);
  });
});
