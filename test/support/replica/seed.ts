/**
 * Fills a ReQL server with a believable DTR replica: all its databases, tables, indexes and rows. Deterministic: the same
 * options give the same rows, whatever the server.
 */
import { r, withConnection, type Connection } from './driver.js';
import { changefeedRows, privateKeyRows, tufFileRows } from './seed-notary-rows.js';
import { SeedRandom, sha256, type Row } from './seed-random.js';
import * as registry from './seed-registry-rows.js';
import { settingsRows } from './seed-settings-rows.js';
import { emptyTables, replicaTables, type ReplicaTable, type SecondaryIndex } from './seed-tables.js';
import type { RDatum } from 'rethinkdb-ts';
import type { RethinkdbAddress, TlsIdentity } from '#src/model/replica-access.js';

export interface SeedOptions {
  /** 200 when left out, with about 700 tags and as many manifests. */
  readonly repositories?: number;
  /** 2,000 when left out. */
  readonly events?: number;
  readonly seed?: number;
}

/** The number of documents by `database.table`, for every table of `replicaTables`, empty ones too. */
export type SeedTotals = ReadonlyMap<string, number>;

const batchRows = 500;
const batchCharacters = 512 * 1024;

/** Creates everything and inserts the rows; rejects when a count on the server is not what was written. */
export async function seedReplica(
  server: RethinkdbAddress,
  options: SeedOptions = {},
  identity?: TlsIdentity,
): Promise<SeedTotals> {
  return withConnection(server, (connection) => seedOver(connection, options), identity);
}

async function seedOver(connection: Connection, options: SeedOptions): Promise<SeedTotals> {
  const { repositories: count = 200, events = 2000, seed = 1 } = options;
  const repositories = registry.planRepositories(new SeedRandom(seed), count);
  const existing = await r.dbList().run(connection);
  for (const database of new Set(replicaTables.map((table) => table.database))) {
    if (!existing.includes(database)) await r.dbCreate(database).run(connection);
  }
  const totals = new Map<string, number>();
  for (const table of replicaTables) {
    await createTable(connection, table);
    // A generator of its own for each table: more rows in one leave the others as they are.
    const random = new SeedRandom(Number.parseInt(sha256(`${seed} ${table.name}`).slice(0, 8), 16));
    const rows = rowsOf(table, random, repositories, events);
    const written = await insertRows(connection, table.database, table.name, rows);
    const counted = await r.db(table.database).table(table.name).count().run(connection);
    if (counted !== written) throw new Error(`${table.database}.${table.name}: ${written} written, ${counted} there`);
    totals.set(`${table.database}.${table.name}`, written);
  }
  return totals;
}

function rowsOf(
  { name }: ReplicaTable,
  random: SeedRandom,
  repositories: readonly registry.SeedRepository[],
  events: number,
): Iterable<Row> {
  if (emptyTables.has(name)) return [];
  if (name === 'events') return registry.eventRows(random, repositories, events);
  const rows = bigTables[name] ?? settingsRows[name];
  if (rows === undefined) throw new Error(`no rows for ${name}`);
  return rows(random, repositories);
}

const bigTables: typeof settingsRows = {
  repositories: registry.repositoryRows,
  tags: registry.tagRows,
  manifests: registry.manifestRows,
  blobs: registry.blobRows,
  blob_links: registry.blobLinkRows,
  scanned_images: registry.scannedImageRows,
  scanned_layers: registry.scannedLayerRows,
  tuf_files: tufFileRows,
  changefeed: changefeedRows,
  private_keys: privateKeyRows,
};

async function createTable(
  connection: Connection,
  { database, name, primaryKey, indexes }: ReplicaTable,
): Promise<void> {
  await r.db(database).tableCreate(name, { primaryKey }).run(connection);
  const table = r.db(database).table(name);
  for (const index of indexes) await createIndex(connection, table, index);
  if (indexes.length > 0) await table.indexWait().run(connection);
}

async function createIndex(
  connection: Connection,
  table: ReturnType<typeof r.table>,
  { name, fields, multi = false }: SecondaryIndex,
): Promise<void> {
  const [first, ...rest] = fields;
  await table
    .indexCreate(name, (row: RDatum) => (rest.length === 0 ? row(first) : r.expr(fields.map((field) => row(field)))), {
      multi,
    })
    .run(connection);
}

/** Inserts rows as JSON text, so that the driver neither nests nor changes them. Resolves with their number. */
export async function insertRows(
  connection: Connection,
  database: string,
  table: string,
  rows: Iterable<Row | string>,
): Promise<number> {
  let written = 0;
  let batch: string[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const texts = r.json(`[${batch.join(',')}]`);
    const { inserted, first_error: error } = await r
      .db(database)
      .table(table)
      .insert(texts, { durability: 'soft' })
      .run(connection);
    if (inserted !== batch.length) throw new Error(`${database}.${table}: ${error ?? 'rows refused'}`);
    written += inserted;
    batch = [];
    characters = 0;
  };
  for (const row of rows) {
    const text = typeof row === 'string' ? row : JSON.stringify(row);
    batch.push(text);
    characters += text.length;
    if (batch.length >= batchRows || characters >= batchCharacters) await flush();
  }
  await flush();
  return written;
}
