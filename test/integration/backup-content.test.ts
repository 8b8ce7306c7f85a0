// What a backup holds, compared with what the server itself says, document by document.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkArchive, type CheckedArchive } from '../support/archive-check.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { insertOddDocuments } from '../support/replica/odd-documents.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { replicaTables } from '../support/replica/seed-tables.js';
import { scaled } from '../support/scale.js';
import { seedReplica, type SeedTotals } from '../support/replica/seed.js';

/** More than a batch of RethinkDB holds. */
const bigMegabytes = scaled(2, 20);

let server: ReqlServer;
let totals: SeedTotals;
let archive: CheckedArchive;
let stderr: string;
let oddTexts: readonly string[];

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
  totals = await seedReplica(server, { repositories: scaled(20, 200), events: scaled(200, 2000) });
  oddTexts = await withConnection(server, async (connection) => {
    await r.db('dtr2').tableCreate('odd').run(connection);
    return insertOddDocuments(connection, server.kind, 'dtr2', 'odd', { bigMegabytes });
  });
  const ended = await runProgram(directFlags(server));
  stderr = ended.stderr;
  expect({ exitCode: ended.exitCode, stderr: ended.exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  archive = await checkArchive(ended.stdout);
}, 180_000);

afterAll(async () => server[Symbol.asyncDispose]());

/** The server's own text of every document, asked for one by one by key: another way than the backup's. */
async function ownTexts(database: string, name: string): Promise<string[]> {
  return withConnection(server, async (connection) => {
    const table = r.db(database).table(name);
    const { primary_key: primaryKey } = await table.info().run(connection);
    const keys: unknown = await table.getField(String(primaryKey)).coerceTo('array').run(connection, raw);
    const texts: string[] = [];
    for (const key of keys as string[]) texts.push(await table.get(r.expr(key)).toJSON().run(connection));
    return texts.sort();
  });
}

const raw = { timeFormat: 'raw', binaryFormat: 'raw' } as const;

describe('a backup of a seeded replica', () => {
  test('starts with the root, the plan and the directory rethink', () => {
    expect(archive.names.slice(0, 3)).toEqual([
      'dtr-backup-v2.5.3/',
      'dtr-backup-v2.5.3/plan.json',
      'dtr-backup-v2.5.3/rethink/',
    ]);
  });

  test('has every table of a DTR backup, with its documents counted', () => {
    const counted = new Map(archive.manifest.tables.map((table) => [table.directory, table.documents.count]));
    const counts = new Map(archive.plan.tables.map((t) => [`${t.database}.${t.name}`, counted.get(t.directory)]));
    for (const table of replicaTables) {
      const name = `${table.database}.${table.name}`;
      const isBackedUp = table.database !== 'jobrunner' || table.name === 'crons';
      expect([name, counts.get(name)]).toEqual([name, isBackedUp ? totals.get(name) : undefined]);
    }
    expect(archive.manifest.tables.some(({ documents }) => documents.count === 0)).toBe(true);
  });

  test('has a directory for an empty table', () => {
    for (const { name } of archive.plan.tables) expect(archive.names).toContain(`dtr-backup-v2.5.3/rethink/${name}/`);
  });

  test.each(['tuf_files', 'private_keys', 'properties', 'tags', 'repositories', 'crons'])(
    'has every document of %s as the server writes it',
    async (name) => {
      const { database } = archive.plan.tables.find((table) => table.name === name) ?? { database: '' };
      expect(archive.documents(name).sort()).toEqual(await ownTexts(database, name));
    },
  );

  test('says how each table is made', () => {
    for (const { database, name, primaryKey, indexes } of replicaTables) {
      const table = archive.plan.tables.find((one) => one.database === database && one.name === name);
      if (table === undefined) continue;
      expect(table.primaryKey).toBe(primaryKey);
      expect(table.indexes.map((index) => index.name).sort()).toEqual(indexes.map((index) => index.name).sort());
    }
  });

  test('tells what it left out, and why', () => {
    expect(archive.plan.leftOut).toContainEqual({ what: 'jobrunner.jobs', why: 'transient' });
    const why = "direct mode does not reach the replica's volumes";
    expect(archive.plan.leftOut).toContainEqual({ what: 'certificates', why });
  });

  test('logs a line for each step and each table that was read, in the form of docker/dtr', () => {
    expect(stderr).not.toMatch(/Plan: dtr2|Reading dtr2\.\w+(,|$)/m);
    expect(stderr).toMatch(/^INFO\[\d{4}\] Plan: without jobrunner\.action_configs, .* \(transient\)/m);
    expect(stderr).toMatch(/^INFO\[\d{4}\] Read dtr2\.tags: [\d,]+ documents/m);
    expect(stderr).toMatch(/^INFO\[\d{4}\] Backup complete: /m);
    if (server.kind === 'rethinkdb') expect(stderr).toContain(`Connected to RethinkDB ${server.version}`);
  });
});

describe('odd documents', () => {
  test('all arrive as the server writes them: pseudo-types, Unicode, doubles, megabytes, __proto__, keys of every type', async () => {
    const texts = archive.documents('odd');
    expect(texts.length).toBe(oddTexts.length);
    // The embedded server spells -0 in two ways, depending on how it is asked.
    const spelled = (text: string): string => (server.kind === 'reqlite' ? text.replace(':-0.0}', ':0}') : text);
    expect(texts.map(spelled).sort()).toEqual(await ownTexts('dtr2', 'odd'));
    expect(texts.some((text) => text.length > bigMegabytes * 1_000_000)).toBe(true);
    expect(texts.some((text) => text.includes('"__proto__":{"admin":true}'))).toBe(true);
  });

  test('mean what was written', () => {
    const meaning = (text: string): string => JSON.stringify(sorted(JSON.parse(text)));
    expect(archive.documents('odd').map(meaning).sort()).toEqual(oddTexts.map(meaning).sort());
  });
});

/** Members in order of their names; base64 without its line breaks. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => [key, key === 'data' ? String(member).replaceAll(/\s/g, '') : sorted(member)]);
}
