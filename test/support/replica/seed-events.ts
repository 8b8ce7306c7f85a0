/** Events by the hundred thousand, for tests of memory and speed: quickly written, and never held all at once. */
import { r, withConnection, type Connection } from './driver.js';
import type { RethinkdbAddress, TlsIdentity } from '#src/model/replica-access.js';

export interface SeedEventsOptions {
  readonly database?: string;
  readonly table?: string;
  /** Ids count on from here: a second call adds to the first. */
  readonly first?: number;
}

const batchRows = 2000;
const insertsAtOnce = 4;

/** The JSON text of event `index`: about 750 bytes, with an id that sorts as it counts. */
export function eventText(index: number): string {
  const number = index.toString(16).padStart(12, '0');
  const id = `00000000-0000-4000-a000-${number}`;
  const digest = `sha256:${`${number}5d41402abc4b2a76b9719d911017c592`.repeat(2).slice(0, 64)}`;
  const repository = `engineering/service-${index % 997}`;
  const publishedAt = `{"$reql_type$":"TIME","epoch_time":${1_500_000_000 + index}.125,"timezone":"+00:00"}`;
  const object = `{"type":"tag","id":"${id}","name":"${repository}:build-${index}","digest":"${digest}","links":[]}`;
  const agent = 'docker/18.09.2 go/go1.10.8 git-commit/6247962 kernel/3.10.0-957.el7.x86_64 os/linux arch/amd64';
  const note = 'pushed by the nightly pipeline of the platform team, stage publish, attempt one of three';
  return (
    `{"id":"${id}","type":"PUSH","publishedAt":${publishedAt},"actor":"jenkins","object":${object},` +
    `"initiatedEvent":"${id}","repository":"${repository}","remoteAddress":"10.0.${index % 256}.7:40222",` +
    `"userAgent":"${agent}","sequence":${index},"note":"${note}","tags":["nightly","linux","amd64"],"ok":true}`
  );
}

/**
 * Inserts `count` events into `dtr2.events` (or the table given), which is created where it is missing. Soft durability:
 * for throw-away servers only.
 */
export async function seedEvents(
  server: RethinkdbAddress,
  count: number,
  options: SeedEventsOptions = {},
  identity?: TlsIdentity,
): Promise<void> {
  const { database = 'dtr2', table = 'events', first = 0 } = options;
  await withConnection(
    server,
    async (connection) => {
      await ensureTable(connection, database, table);
      let next = first;
      const end = first + count;
      const insertBatches = async (): Promise<void> => {
        while (next < end) {
          const from = next;
          next = Math.min(end, from + batchRows);
          await insertEvents(connection, database, table, from, next);
        }
      };
      await Promise.all(Array.from({ length: insertsAtOnce }, insertBatches));
    },
    identity,
  );
}

async function ensureTable(connection: Connection, database: string, table: string): Promise<void> {
  if (!(await r.dbList().run(connection)).includes(database)) await r.dbCreate(database).run(connection);
  const tables = await r.db(database).tableList().run(connection);
  if (!tables.includes(table)) await r.db(database).tableCreate(table).run(connection);
}

async function insertEvents(
  connection: Connection,
  database: string,
  table: string,
  from: number,
  end: number,
): Promise<void> {
  const texts = Array.from({ length: end - from }, (_, offset) => eventText(from + offset));
  const rows = r.json(`[${texts.join(',')}]`);
  const result = await r.db(database).table(table).insert(rows, { durability: 'soft' }).run(connection);
  if (result.inserted !== texts.length) throw new Error(`events from ${from}: ${result.first_error ?? 'refused'}`);
}
