/**
 * The lock that keeps two restores from writing into one RethinkDB at once: a document in a database of its own, which
 * no backup takes. Advisory: only restores of this program look at it. A run that is killed leaves it behind.
 */
import { randomUUID } from 'node:crypto';
import { r } from 'rethinkdb-ts';
import { z } from 'zod';
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

/** A run that was told to stop must not wait for long to give its lock back. */
const releaseTimeoutMs = 5000;

/** Between two tries the lock must have been given back: that this happens so often in a row is no coincidence. */
const maxTries = 5;

export interface LockHolder {
  readonly owner: string;
  readonly startedAt: string;
}

const infoSchema = z.object({ primary_key: z.string() });
const insertSchema = z.object({ first_error: z.string().optional() });
const holderSchema = z.object({ owner: z.string(), startedAt: z.string(), token: z.string() });

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
    try {
      await makeTable(session);
      let refusal: string | undefined;
      for (let tries = 0; tries < maxTries; tries += 1) {
        const before = await readHolder(session);
        const isBreaking = isForced && before !== undefined;
        if (isBreaking) log.warn(`Breaking the lock of ${describeHolder(before)}`);
        lock.#isTakenOver ||= isBreaking;
        // One that was taken since is not broken unseen.
        const conflict = isBreaking ? 'replace' : 'error';
        const answer = await session.ask(locks().insert(document, { conflict, durability: 'hard' }));
        refusal = insertSchema.parse(answer).first_error;
        const after = await readHolder(session);
        // Whether the insert was the first or came second, and also where its answer was lost: what is there decides.
        if (after?.token === lock.#token) return lock;
        if (after !== undefined) return after;
      }
      throw new JobError(ExitCode.rethinkdb, notTaken(refusal ?? 'it is not there after it was inserted'));
    } catch (error) {
      throw session.failure(`take the lock of restores (${lockDatabase}.${lockTable}, primary key id)`, error);
    }
  }

  /** Throws a JobError with exit code 7 where another run has taken the lock, or where it cannot be read. */
  async assertHeld(session = this.#session): Promise<void> {
    try {
      const holder = await readHolder(session);
      if (holder?.token === this.#token) return;
      const other = holder === undefined ? 'somebody who removed it' : describeHolder(holder);
      const message = `the lock of this restore was taken by ${other}: what the tables hold now is not known`;
      throw new JobError(ExitCode.rethinkdb, message);
    } catch (error) {
      throw session.failure('read the lock of restores', error);
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

function notTaken(reason: string): string {
  return `cannot take the lock of restores in ${lockDatabase}.${lockTable}: ${reason}`;
}

/** Nothing is ever inserted into a table made by hand with another primary key: each try would leave a document there. */
async function makeTable(session: RethinkSession): Promise<void> {
  const shape = { database: lockDatabase, name: lockTable, primaryKey: 'id', shardCount: 1 };
  const make = async (): Promise<void> => {
    await createDatabase(session, lockDatabase);
    await createTable(session, { ...shape, replicaCount: await countServers(session) });
  };
  // Two that begin at once may both find nothing: the second attempt finds what the other has made.
  await make().catch(make);
  const { primary_key: primaryKey } = infoSchema.parse(await session.ask(locks().info()));
  if (primaryKey === 'id') return;
  const remedy = `drop ${lockDatabase}.${lockTable}; the next restore makes it`;
  throw new JobError(ExitCode.rethinkdb, notTaken(`its primary key is not id but ${printable(primaryKey)}: ${remedy}`));
}
