/**
 * Writers at full speed, each owning its keys, who remember everything they did; and the judge of whether a table's state
 * is one that it had: for each writer, the state after some number of its operations.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RethinkdbAddress } from '#src/model/replica-access.js';
import { r, withConnection, type Connection } from './replica/driver.js';
import { SeedRandom } from './replica/seed-random.js';

/** JSON text of a document by its key; absent where there is none. */
export type State = ReadonlyMap<string, string>;

interface Operation {
  readonly key: string;
  /** Null: deleted. */
  readonly text: string | null;
  readonly before: string | undefined;
}

/**
 * RethinkDB keeps the changes of one document in order, those of several not quite: with four writers on a 2.4.4, one
 * change in a hundred came up to 14 ms late, after up to four later ones of the same writer. None was lost.
 */
const disorder = { missing: 4, among: 16 };

const slots = 200;

/** One writer's operations on one table, in the order in which they were acknowledged; one more may be under way. */
export class History {
  readonly operations: Operation[] = [];
  acknowledged = 0;
  readonly #random: SeedRandom;
  readonly #present = new Map<string, string>();

  constructor(
    readonly table: string,
    readonly writer: number,
  ) {
    this.#random = new SeedRandom(writer + 1);
  }

  owns(key: string): boolean {
    return key.endsWith(`-w${this.writer}`);
  }

  /** Writes until `isStopped`, each operation after the answer to the one before and when `mayWrite`. */
  async write(connection: Connection, isStopped: () => boolean, mayWrite: () => Promise<void>): Promise<void> {
    const [database = '', name = ''] = this.table.split('.');
    const table = r.db(database).table(name);
    for (;;) {
      await mayWrite();
      if (isStopped()) return;
      const operation = this.#next();
      this.operations.push(operation);
      const { key, text } = operation;
      const isNew = text !== null && !this.#present.has(key);
      const query = isNew
        ? table.insert(r.json(text), { durability: 'soft' })
        : text === null
          ? table.get(key).delete({ durability: 'soft' })
          : table.get(key).replace(r.json(text), { durability: 'soft' });
      const result = await query.run(connection);
      if (result.errors > 0) throw new Error(`${this.table}: ${result.first_error ?? 'refused'}`);
      if (text === null) this.#present.delete(key);
      else this.#present.set(key, text);
      this.acknowledged = this.operations.length;
    }
  }

  /**
   * Why `state` is none after at least `fewest` of the operations; undefined where it is one. Where writing went on at the
   * cut, `isCutInWriting`, some of the very last may be missing among others.
   */
  fault(state: State, fewest: number, isCutInWriting: boolean): string | undefined {
    const own = new Map([...state].filter(([key]) => this.owns(key)));
    const current = new Map<string, string>();
    const differing = new Set(own.keys());
    for (let count = 0; count <= this.operations.length; count += 1) {
      if (count >= fewest && differing.size === 0) return undefined;
      if (isCutInWriting && count >= fewest && this.#areLate(differing, own, count)) return undefined;
      const operation = this.operations[count];
      if (operation === undefined) break;
      const { key, text } = operation;
      if (text === null) current.delete(key);
      else current.set(key, text);
      if (current.get(key) === own.get(key)) differing.delete(key);
      else differing.add(key);
    }
    const least = `at least ${fewest} of ${this.operations.length}`;
    return `${this.table}, writer ${this.writer}: the state is none after ${least} operations`;
  }

  /** Whether all that differs after `count` operations is that a few of the last are missing. */
  #areLate(differing: ReadonlySet<string>, own: State, count: number): boolean {
    if (differing.size > disorder.missing) return false;
    const last = this.operations.slice(Math.max(0, count - disorder.among), count);
    return [...differing].every((key) => last.some((one) => one.key === key && one.before === own.get(key)));
  }

  #next(): Operation {
    const number = this.operations.length;
    const slot = this.#random.integer(0, slots - 1);
    // Spread over the whole table, so that a reader in key order meets them early and late.
    const key = `${(slot % 16).toString(16)}${slot}-w${this.writer}`;
    const before = this.#present.get(key);
    if (before !== undefined && this.#random.chance(0.5)) return { key, text: null, before };
    return { key, text: JSON.stringify({ id: key, number, padding: 'x'.repeat(number % 300) }), before };
  }
}

/** Makes tables with rows that nobody writes to, so that reading them takes its time. */
export async function seedTables(server: RethinkdbAddress, tables: readonly string[], rows: number): Promise<void> {
  await withConnection(server, async (connection) => {
    for (const table of tables) {
      const [database = '', name = ''] = table.split('.');
      if (!(await r.dbList().run(connection)).includes(database)) await r.dbCreate(database).run(connection);
      await r.db(database).tableCreate(name).run(connection);
      for (let from = 0; from < rows; from += 1000) {
        const texts = Array.from({ length: 1000 }, (_, index) =>
          JSON.stringify({
            id: `${((from + index) % 16).toString(16)}-static-${from + index}`,
            padding: 'y'.repeat(400),
          }),
        );
        const documents = r.json(`[${texts.join(',')}]`);
        await r.db(database).table(name).insert(documents, { durability: 'soft' }).run(connection);
      }
    }
  });
}

/** How long all writers write, and how long all of them rest, in turns. */
export interface Rhythm {
  readonly writeMs: number;
  readonly restMs: number;
}

/** Lets the writers write while `use` runs, each on a connection of its own; without a rhythm they never rest. */
export async function whileWriting<T>(
  server: RethinkdbAddress,
  histories: readonly History[],
  use: (stop: () => Promise<unknown>) => Promise<T>,
  rhythm?: Rhythm,
): Promise<T> {
  let isStopped = false;
  const startMs = performance.now();
  const mayWrite = async (): Promise<void> => {
    if (rhythm === undefined) return;
    const turnMs = rhythm.writeMs + rhythm.restMs;
    const atMs = (performance.now() - startMs) % turnMs;
    if (atMs > rhythm.writeMs) await pause(turnMs - atMs);
  };
  const writing = histories.map((history) =>
    withConnection(server, (connection) => history.write(connection, () => isStopped, mayWrite)),
  );
  try {
    const failed = Promise.all(writing).then(() => new Promise<never>(() => undefined));
    const stop = (): Promise<unknown> => {
      isStopped = true;
      return Promise.all(writing);
    };
    return await Promise.race([use(stop), failed]);
  } finally {
    isStopped = true;
    await Promise.all(writing);
  }
}
