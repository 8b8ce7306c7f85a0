/**
 * The lock that keeps two restores from writing into one RethinkDB at once: a document in a database of its own, which
 * no backup holds. Advisory: only restores of this program check it. A run that is killed leaves it behind.
 */
import { randomUUID } from 'node:crypto';
import { r } from 'rethinkdb-ts';
import { z } from 'zod';
import { onAbort, pause } from '../base/deadline.js';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { printable } from '../base/printable.js';
import { lockDatabase } from './catalog.js';
import { countServers } from './server-status.js';
import type { RethinkSession } from './session.js';
import { createDatabase, createTable } from './table-maker.js';

const lockTable = 'locks';
const lockId = 'restore';
const locks = r.db(lockDatabase).table(lockTable);
const taking = `take the lock of restores (${lockDatabase}.${lockTable})`;

/** A run that was told to stop must not wait longer to release its lock. */
const releaseTimeoutMs = 5000;

/** Between two attempts another run must have taken and released the lock: more than this is no coincidence. */
const maxAttempts = 5;

const checkEveryMs = 1000;

/**
 * Within this time a run has noticed that its lock was taken, and has closed its connections: it asks every second, and
 * has the rest for the answer. A process that is suspended, or cut off from the server, notices when it continues.
 */
export const lossNoticedWithinMs = 5000;

export interface LockHolder {
  readonly owner: string;
  readonly startedAt: string;
}

const infoSchema = z.object({ primary_key: z.string() });
const insertSchema = z.object({ first_error: z.string().default('it is not there after it was inserted') });
const holderSchema = z.object({ owner: z.string(), startedAt: z.string(), token: z.string() }).nullable();

export class RestoreLock implements AsyncDisposable {
  readonly #session: RethinkSession;
  readonly #log: Log;
  readonly #token = randomUUID();
  #isTakenOver = false;

  private constructor(session: RethinkSession, log: Log) {
    this.#session = session;
    this.#log = log;
  }

  /** Whether it was taken from another run, which may still write until it notices. */
  get isTakenOver(): boolean {
    return this.#isTakenOver;
  }

  /**
   * Takes the lock, or returns who holds it. `isForced` takes it from any holder. Throws a JobError with exit code 7,
   * also where the user may not write it.
   */
  static async take(
    session: RethinkSession,
    holder: LockHolder,
    { isForced, log }: { readonly isForced: boolean; readonly log: Log },
  ): Promise<RestoreLock | LockHolder> {
    const lock = new RestoreLock(session, log);
    const document = { id: lockId, ...holder, token: lock.#token };
    // Two runs that begin at once may both find no table: the second attempt finds what the other has created.
    await createLockTable(session).catch(() => createLockTable(session));
    let refusal = '';
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const before = await readHolder(session, taking);
      const isBreaking = isForced && before !== null;
      if (isBreaking) log.warn(`Breaking the lock of ${describeHolder(before)}`);
      lock.#isTakenOver ||= isBreaking;
      // 'error': a lock taken since `before` was read is not broken.
      const query = locks.insert(document, { conflict: isBreaking ? 'replace' : 'error', durability: 'hard' });
      refusal = (await session.ask(query, taking, insertSchema)).first_error;
      // What is there now decides, also where another run was first or the answer to the insert was lost.
      const after = await readHolder(session, taking);
      if (after !== null) return after.token === lock.#token ? lock : after;
    }
    throw new JobError(ExitCode.rethinkdb, `cannot ${taking}: ${refusal}`);
  }

  /** Throws a JobError with exit code 7 where another run has taken the lock, or where it cannot be read. */
  async assertHeld(session = this.#session): Promise<void> {
    const holder = await readHolder(session, 'read the lock of restores');
    if (holder?.token === this.#token) return;
    const how = holder === null ? 'was removed' : `was taken by ${describeHolder(holder)}`;
    throw new JobError(ExitCode.rethinkdb, `the lock of this restore ${how}: what the tables hold now is not known`);
  }

  /** Releases the lock, also in a run that was told to stop. Throws nothing: a lock that stays is logged. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using session = this.#session.another(AbortSignal.timeout(releaseTimeoutMs));
    const query = locks.getAll(lockId).filter({ token: this.#token }).delete({ durability: 'hard' });
    try {
      await session.ask(query, 'release it');
    } catch (error) {
      this.#log.warn(`The lock of this restore stays: ${errorText(error)}; --break-lock takes it in the next run`);
    }
  }
}

/** Watches the lock of a restore while it writes: a run that has broken it waits for `lossNoticedWithinMs` to write. */
export class LockWatch implements AsyncDisposable {
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  readonly #removeListener: () => void;
  readonly #watching: Promise<void>;

  /** `signal` ends the run as well. */
  constructor(lock: RestoreLock, session: RethinkSession, signal: AbortSignal) {
    this.#removeListener = onAbort(signal, () => this.#lost.abort(signal.reason));
    this.#watching = this.#watch(lock, session);
  }

  /** For all work under the lock: aborts with a JobError with exit code 7 when the lock is lost or cannot be read. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends the watch; the lock stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the watch has ended'));
    await this.#watching;
    this.#removeListener();
  }

  async #watch(lock: RestoreLock, session: RethinkSession): Promise<void> {
    await using own = session.another(this.#ended.signal);
    try {
      for (;;) {
        await lock.assertHeld(own);
        await pause(checkEveryMs, this.#ended.signal);
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#lost.abort(error);
    }
  }
}

export function describeHolder({ owner, startedAt }: LockHolder): string {
  return `${owner}, which began at ${startedAt}`;
}

async function readHolder(session: RethinkSession, what: string): Promise<z.infer<typeof holderSchema>> {
  return session.ask(locks.get(lockId), what, holderSchema);
}

/** Throws where a table made by hand has another primary key: each attempt would insert one more document. */
async function createLockTable(session: RethinkSession): Promise<void> {
  await createDatabase(session, lockDatabase);
  const shape = { database: lockDatabase, name: lockTable, primaryKey: 'id', shardCount: 1 };
  await createTable(session, { ...shape, replicaCount: await countServers(session) });
  const { primary_key: primaryKey } = await session.ask(locks.info(), taking, infoSchema);
  if (primaryKey === 'id') return;
  const remedy = `drop ${lockDatabase}.${lockTable}; the next restore creates it`;
  const reason = `its primary key is not id but ${printable(primaryKey)}: ${remedy}`;
  throw new JobError(ExitCode.rethinkdb, `cannot ${taking}: ${reason}`);
}
