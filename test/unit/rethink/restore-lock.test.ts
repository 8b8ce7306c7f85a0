// Who gets the lock of restores, and what becomes of it, with a server that answers as RethinkDB does or will not.
import { describe, expect, test } from '@jest/globals';
import { describeHolder, RestoreLock, type LockHolder } from '#src/rethink/restore-lock.js';
import type { RethinkSession } from '#src/rethink/session.js';
import type { RecordedLog } from '../../support/recorded-log.js';
import {
  atom,
  errorTypes,
  runtimeError,
  withScriptedSession,
  type Answers,
} from '../../support/replica/scripted-session.js';

const us: LockHolder = { owner: 'us', startedAt: '2026-11-26T05:00:00.000Z' };
const them = { owner: 'them', startedAt: '2026-11-26T04:00:00.000Z', token: 'their token' };

/** `TermType` of RethinkDB's protocol. */
const terms = { get: 16, delete: 54, insert: 56, branch: 65, info: 79 };

/** The one document of the table of locks. Overrides answer first, by the type of the term. */
class LockServer {
  document: object | null = null;
  primaryKey = 'id';
  readonly asked: unknown[] = [];
  readonly overrides = new Map<number, () => object | undefined>();

  readonly answers: Answers = (term) => {
    const [type, args, options] = term as [number, readonly unknown[], { readonly conflict?: string } | undefined];
    this.asked.push(type);
    const override = this.overrides.get(type);
    if (override !== undefined) return override();
    if (type === terms.info) return atom({ primary_key: this.primaryKey });
    if (type === terms.get) return atom(this.document);
    if (type === terms.delete) {
      this.document = null;
      return atom({ deleted: 1 });
    }
    if (type !== terms.insert) return atom(null);
    const isRefused = this.document !== null && options?.conflict === 'error';
    if (!isRefused) this.document = args[1] as object;
    return atom(isRefused ? { first_error: 'Duplicate primary key' } : { inserted: 1 });
  };

  take(isForced: boolean, use?: (lock: RestoreLock, session: RethinkSession, log: RecordedLog) => Promise<void>) {
    return withScriptedSession(this.answers, async (session, log) => {
      const taken = await RestoreLock.take(session, us, { isForced, log });
      if (taken instanceof RestoreLock) await use?.(taken, session, log);
      return { taken, log };
    });
  }
}

describe('the lock', () => {
  test('is taken where nobody has it, held, and given back', async () => {
    const server = new LockServer();
    const { taken } = await server.take(false, async (lock) => {
      expect(server.document).toMatchObject({ id: 'restore', ...us });
      await lock.assertHeld();
      await lock[Symbol.asyncDispose]();
    });
    expect(taken).toMatchObject({ isTakenOver: false });
    expect(server.document).toBeNull();
  });

  test('is not taken from who has it', async () => {
    const server = new LockServer();
    server.document = them;
    expect((await server.take(false)).taken).toEqual(them);
    expect(server.document).toEqual(them);
  });

  test('is broken where that is asked, and said', async () => {
    const server = new LockServer();
    server.document = them;
    const { taken, log } = await server.take(true);
    expect(taken).toMatchObject({ isTakenOver: true });
    expect(server.document).toMatchObject(us);
    expect(log.lines).toContain('WARN Breaking the lock of them, which began at 2026-11-26T04:00:00.000Z');
  });

  test('that nobody has is not taken over, though that may be done', async () => {
    expect((await new LockServer().take(true)).taken).toMatchObject({ isTakenOver: false });
  });

  test('is tried for again where it was given back in between, and not for ever', async () => {
    const server = new LockServer();
    let inserts = 0;
    server.overrides.set(terms.insert, () => {
      inserts += 1;
      if (inserts === 2) server.overrides.delete(terms.insert);
      return atom({ first_error: 'Duplicate primary key' });
    });
    expect((await server.take(false)).taken).toBeInstanceOf(RestoreLock);
    expect(inserts).toBe(2);
  });

  test.each([
    [{ first_error: 'The disk is full' }, 'The disk is full'],
    [{ inserted: 1 }, 'it is not there after it was inserted'],
  ])('that is never there (%j) is given up', async (answer, reason) => {
    const server = new LockServer();
    server.overrides.set(terms.insert, () => atom(answer));
    await expect(server.take(false)).rejects.toMatchObject({
      exitCode: 7,
      message: `cannot take the lock of restores (dtr_backup.locks): ${reason}`,
    });
    expect(server.asked.filter((type) => type === terms.insert)).toHaveLength(5);
  });

  test('is not looked for in a table with another primary key', async () => {
    const server = new LockServer();
    server.primaryKey = 'name';
    const remedy = 'drop dtr_backup.locks; the next restore creates it';
    await expect(server.take(false)).rejects.toMatchObject({
      exitCode: 7,
      message: `cannot take the lock of restores (dtr_backup.locks): its primary key is not id but name: ${remedy}`,
    });
    expect(server.asked).not.toContain(terms.insert);
  });

  test('is taken also where another made its table at the same time', async () => {
    const server = new LockServer();
    server.overrides.set(terms.branch, () => {
      server.overrides.delete(terms.branch);
      return runtimeError(errorTypes.opFailed, 'Database `dtr_backup` already exists.');
    });
    expect((await server.take(false)).taken).toBeInstanceOf(RestoreLock);
  });

  test('that may not be written ends the run', async () => {
    const server = new LockServer();
    server.overrides.set(terms.insert, () => runtimeError(errorTypes.permission, 'User `x` may not.'));
    await expect(server.take(false)).rejects.toMatchObject({
      exitCode: 7,
      message: `cannot take the lock of restores (dtr_backup.locks): User \`x\` may not: give another with --rethinkdb-user`,
    });
  });
});

describe('a lock that is held', () => {
  test.each([
    [them, 'was taken by them, which began at 2026-11-26T04:00:00.000Z'],
    [null, 'was removed'],
  ])('and then %j is there, is lost', async (document, how) => {
    const server = new LockServer();
    await server.take(false, async (lock) => {
      server.document = document;
      await expect(lock.assertHeld()).rejects.toMatchObject({
        exitCode: 7,
        message: `the lock of this restore ${how}: what the tables hold now is not known`,
      });
    });
    expect(server.document).toEqual(document);
  });

  test('and cannot be read, is not known to be', async () => {
    const server = new LockServer();
    await server.take(false, async (lock, session) => {
      server.overrides.set(terms.get, () => runtimeError(errorTypes.permission, 'User `x` may not.'));
      const failure = {
        exitCode: 7,
        message: 'cannot read the lock of restores: User `x` may not: give another with --rethinkdb-user',
      };
      await expect(lock.assertHeld()).rejects.toMatchObject(failure);
      await expect(lock.assertHeld(session)).rejects.toMatchObject(failure);
    });
  });

  test('and cannot be given back, is said', async () => {
    const server = new LockServer();
    const { log } = await server.take(false, async (lock) => {
      server.overrides.set(terms.delete, () => runtimeError(errorTypes.permission, 'User `x` may not.'));
      await lock[Symbol.asyncDispose]();
    });
    expect(log.lines.at(-1)).toMatch(/^WARN The lock of this restore stays: .*--break-lock takes it in the next run$/s);
  });
});

test('who holds it is told with the time', () => {
  expect(describeHolder(us)).toBe('us, which began at 2026-11-26T05:00:00.000Z');
});
