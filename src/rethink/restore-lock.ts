/**
 * The lock that keeps two restores from writing into one RethinkDB at once: a document in a database of its own, which
 * no backup takes. Advisory: only restores of this program look at it. A run that is killed leaves it behind.
 */
import { randomUUID } from 'node:crypto';
import { r } from 'rethinkdb-ts';
import { z } from 'zod';
import { errorText } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { lockDatabase } from './catalog.js';
import { countServers } from './server-status.js';
import type { RethinkSession } from './session.js';
import { createDatabase, createTable } from './table-maker.js';

const lockTable = 'locks';
const lockId = 'restore';

/** A run that was told to stop must not wait for long to give its lock back. */
const releaseTimeoutMs = 5000;

export interface LockHolder {
  readonly owner: string;
  readonly startedAt: string;
}

const holderSchema = z.object({ owner: z.string(), startedAt: z.string(), token: z.string() });

export class RestoreLock implements AsyncDisposable {
  readonly #session: RethinkSession;
  readonly #log: Log;
  readonly #token = randomUUID();

  private constructor(session: RethinkSession, log: Log) {
    this.#session = session;
    this.#log = log;
  }

  /**
   * Takes the lock, or gives who holds it. `isForced` takes it from whoever has it. Throws a JobError with exit code 7,
   * also where the user may not write it.
   */
  static async take(
    session: RethinkSession,
    holder: LockHolder,
    { isForced, log }: { readonly isForced: boolean; readonly log: Log },
  ): Promise<RestoreLock | LockHolder> {
    const lock = new RestoreLock(session, log);
    const document = { id: lockId, ...holder, token: lock.#token };
    const conflict = isForced ? 'replace' : 'error';
    try {
      await makeTable(session);
      const before = await readHolder(session);
      if (isForced && before !== undefined) log.warn(`Breaking the lock of ${describeHolder(before)}`);
      await session.ask(locks().insert(document, { conflict, durability: 'hard' }));
      const after = await readHolder(session);
      // Whether the insert was the first or came second, and also where its answer was lost: what is there decides.
      if (after?.token === lock.#token) return lock;
      return after ?? (await RestoreLock.take(session, holder, { isForced, log }));
    } catch (error) {
      throw session.failure(`take the lock of restores (${lockDatabase}.${lockTable}, primary key id)`, error);
    }
  }

  /** Who took the lock from this run; undefined while it is held. Throws a JobError with exit code 7. */
  async lostTo(): Promise<string | undefined> {
    try {
      const holder = await readHolder(this.#session);
      if (holder?.token === this.#token) return undefined;
      return holder === undefined ? 'somebody who removed it' : describeHolder(holder);
    } catch (error) {
      throw this.#session.failure('read the lock of restores', error);
    }
  }

  /** Gives the lock back, also in a run that was told to stop. Throws nothing: a lock that stays is logged. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using session = this.#session.another(AbortSignal.timeout(releaseTimeoutMs));
    try {
      await session.ask(locks().getAll(lockId).filter({ token: this.#token }).delete({ durability: 'hard' }));
    } catch (error) {
      this.#log.warn(`The lock of this restore stays: ${errorText(error)}; --break-lock takes it in the next run`);
    }
  }
}

export function describeHolder({ owner, startedAt }: LockHolder): string {
  return `${owner}, which began at ${startedAt}`;
}

function locks() {
  return r.db(lockDatabase).table(lockTable);
}

async function readHolder(session: RethinkSession): Promise<z.infer<typeof holderSchema> | undefined> {
  return holderSchema.nullable().parse(await session.ask(locks().get(lockId))) ?? undefined;
}

async function makeTable(session: RethinkSession): Promise<void> {
  const shape = { database: lockDatabase, name: lockTable, primaryKey: 'id', shardCount: 1 };
  const make = async (): Promise<void> => {
    await createDatabase(session, lockDatabase);
    await createTable(session, { ...shape, replicaCount: await countServers(session) });
  };
  // Two that begin at once may both find nothing: the second attempt finds what the other has made.
  await make().catch(make);
}
