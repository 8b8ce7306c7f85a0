/**
 * What a backup costs those who use the replica meanwhile: reads and writes of single documents at a fixed rate,
 * whether the server keeps up or not, and how long each took from when it was due.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { r, withConnection } from '../../test/support/replica/driver.js';

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly operations: number;
}

const database = 'bench_load';
const rows = 10_000;
const perSecond = 200;

/** Makes the table that the load works on. */
export async function seedLoad(server: { host: string; port: number }): Promise<void> {
  await withConnection(server, async (connection) => {
    await r.dbCreate(database).run(connection);
    await r.db(database).tableCreate('rows').run(connection);
    const documents = Array.from({ length: rows }, (_, id) => ({ id, text: 'x'.repeat(500), count: 0 }));
    await r.db(database).table('rows').insert(documents, { durability: 'soft' }).run(connection);
  });
}

/** Half reads, half writes with hard durability, for `seconds`. */
export async function measureLatency(server: { host: string; port: number }, seconds: number): Promise<Latency> {
  return withConnection(server, async (connection) => {
    const table = r.db(database).table('rows');
    const taken: number[] = [];
    const running: Promise<void>[] = [];
    const startMs = performance.now();
    for (let index = 0; index < seconds * perSecond; index += 1) {
      const dueMs = startMs + (index * 1000) / perSecond;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      const row = table.get((index * 7919) % rows);
      const query = index % 2 === 0 ? row : row.update({ count: index });
      running.push(
        query.run(connection).then(() => {
          taken.push(performance.now() - dueMs);
        }),
      );
    }
    await Promise.all(running);
    taken.sort((a, b) => a - b);
    const at = (share: number): number => taken[Math.floor(taken.length * share)] ?? Number.NaN;
    return { p50Ms: at(0.5), p99Ms: at(0.99), operations: taken.length };
  });
}
