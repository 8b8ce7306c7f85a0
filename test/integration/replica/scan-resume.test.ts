/** A scan that loses its connection after every batch: it goes on after keys of every kind, and gives each row once. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RethinkSession } from '#src/rethink/session.js';
import { scanTable } from '#src/rethink/scan.js';
import type { TableDefinition } from '#src/model/table.js';
import { createRecordedLog } from '../../support/recorded-log.js';
import { oddKeys } from '../../support/replica/odd-documents.js';
import { r, withConnection } from '../../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';

const table: TableDefinition = { database: 'resume', name: 'rows', primaryKey: 'clé', indexes: [], writeHook: null };
/** With it, a batch has two rows: RethinkDB ends it at a megabyte. */
const pad = 'x'.repeat(500_000);
const nestedKey = `${'['.repeat(23)}1${']'.repeat(23)}`;
const keys = [...oddKeys.filter((key) => key.length < 200), nestedKey, '-5e-324'];
/** Not well-formed UTF-8, which RethinkDB takes: halves of an emoji as their bytes, as a key and within a compound one. */
const keysOfRethinkdb = ['"a\u{ed}\u{a0}\u{80}"', '["a\u{ed}\u{b0}\u{80}",1]'];

let server: ReqlServer;
let session: RethinkSession;

beforeAll(async () => {
  server = await startReqlServer();
  process.stderr.write(
    `${server.kind} ${server.version}${server.kind === 'reqlite' ? '; SKIPPED: halves of emoji' : ''}\n`,
  );
  const options = { address: server, insecureSkipVerify: false, connectWindowMs: 10_000, readTimeoutMs: 10_000 };
  session = new RethinkSession(options, { log: createRecordedLog(), signal: new AbortController().signal });
  await withConnection(server, async (connection) => {
    await r.dbCreate(table.database).run(connection);
    await r.db(table.database).tableCreate(table.name, { primaryKey: table.primaryKey }).run(connection);
    const rows = r.db(table.database).table(table.name);
    for (const key of keys) await rows.insert(r.json(`{"clé":${key},"pad":"${pad}"}`)).run(connection);
    if (server.kind === 'reqlite') return;
    for (const key of keysOfRethinkdb) {
      const bytes = Buffer.from(`{"cl\u{c3}\u{a9}":${key},"pad":"${pad}"}`, 'latin1');
      await rows.insert(r.json(r.expr(bytes).coerceTo('string'))).run(connection);
    }
  });
});

afterAll(async () => {
  session.drop();
  await server[Symbol.asyncDispose]();
});

async function scan(onBatch: () => void): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of scanTable(session, table)) {
    lines.push(...batch.toString('latin1').trimEnd().split('\n'));
    onBatch();
  }
  return lines.map((line) => line.replace(pad, ''));
}

test('a scan whose connection is lost after each batch has every row once, in the order of an undisturbed one', async () => {
  const whole = await scan(() => undefined);
  expect(whole).toHaveLength(keys.length + (server.kind === 'reqlite' ? 0 : keysOfRethinkdb.length));
  let losses = 0;
  const resumed = await scan(() => {
    losses += 1;
    session.drop();
  });
  expect(losses).toBeGreaterThan(keys.length / 4);
  expect(resumed).toEqual(whole);
});
