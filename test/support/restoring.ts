/** What tests of `restore` need: its flags, a clean server, and everything that can be compared of a table. */
import { expect } from '@jest/globals';
import type { RethinkdbAddress } from '#src/model/replica-access.js';
import type { Ended } from './command.js';
import { r, withConnection } from './replica/driver.js';
import type { ReqlServer } from './replica/reql-server.js';

/** The flags that take `restore` straight to a ReQL server, as the DTR version that sample archives are of. */
export function restoreFlags({ host, port }: RethinkdbAddress, version = '2.9.4'): string[] {
  return ['restore', '--rethinkdb-addr', `${host}:${port}`, '--rethinkdb-plaintext', '--dtr-version', version];
}

/** Tells what the program said when it did not end well. */
export function expectDone({ exitCode, stderr }: Ended): void {
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
}

/** Those that are no content: RethinkDB's own, and the lock of restores. */
const otherDatabases: readonly string[] = ['rethinkdb', 'dtr_backup'];

/** Drops every database with content. */
export async function clearServer(server: RethinkdbAddress): Promise<void> {
  await withConnection(server, async (connection) => {
    for (const database of await r.dbList().run(connection)) {
      if (!otherDatabases.includes(database)) await r.dbDrop(database).run(connection);
    }
  });
}

export interface TableState {
  readonly primaryKey: string;
  /** The server's own JSON texts, sorted. */
  readonly texts: readonly string[];
  /** Serialised functions by name, in base64. */
  readonly indexes: Readonly<Record<string, string>>;
  /** Undefined where there is none, or where the server knows no hooks. */
  readonly hook: string | undefined;
}

/** Rejects where there is no such table. */
export async function readTable(
  server: Pick<ReqlServer, 'host' | 'port' | 'hasWriteHooks'>,
  name: string,
): Promise<TableState> {
  const [database = '', table = ''] = name.split('.');
  return withConnection(server, async (connection) => {
    const it = r.db(database).table(table);
    const info = await it.info().run(connection);
    const texts = await it
      .map((document) => document.toJSON())
      .coerceTo('array')
      .run(connection);
    const status: unknown = await it.indexStatus().run(connection, { binaryFormat: 'raw' });
    const indexes = status as readonly { index: string; function: { data: string } }[];
    const hook: unknown = server.hasWriteHooks
      ? await it.getWriteHook().run(connection, { binaryFormat: 'raw' })
      : null;
    return {
      primaryKey: String((info as { primary_key: unknown }).primary_key),
      texts: (texts as string[]).sort(),
      indexes: Object.fromEntries(indexes.map((index) => [index.index, index.function.data.replaceAll(/\s/g, '')])),
      hook: (hook as { function: { data: string } } | null)?.function.data.replaceAll(/\s/g, ''),
    };
  });
}

/** The server's tables, `database.table`, in order. */
export async function tableNames(server: RethinkdbAddress): Promise<string[]> {
  return withConnection(server, async (connection) => {
    const names: string[] = [];
    for (const database of await r.dbList().run(connection)) {
      if (otherDatabases.includes(database)) continue;
      const tables = await r.db(database).tableList().run(connection);
      names.push(...tables.map((table) => `${database}.${table}`));
    }
    return names.sort();
  });
}

/** Makes a table of DTR with these documents, and its database where there is none. */
export async function makeTable(
  server: RethinkdbAddress,
  name: string,
  texts: readonly string[] = [],
  primaryKey = 'id',
): Promise<void> {
  const [database = '', table = ''] = name.split('.');
  await withConnection(server, async (connection) => {
    if (!(await r.dbList().run(connection)).includes(database)) await r.dbCreate(database).run(connection);
    await r.db(database).tableCreate(table, { primaryKey }).run(connection);
    for (const text of texts) await r.db(database).table(table).insert(r.json(text)).run(connection);
  });
}
