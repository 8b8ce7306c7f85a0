// What a restore refuses, with what is told, and that nothing is written then; and the lock that keeps two apart.
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Input } from '#src/model/archive-stream.js';
import { rereadSource } from '#src/store/archive-source.js';
import { Secret } from '#src/base/secret.js';
import { restore as runRestore } from '#src/jobs/restore/restore.js';
import type { Access } from '#src/model/replica-access.js';
import type { DtrVersion } from '#src/model/dtr-version.js';
import { inputOf, makeArchive, silentContext } from '../support/archive/sample.js';
import { directFlags } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { runProgram } from '../support/program.js';
import { createRecordedLog } from '../support/recorded-log.js';
import { r, withConnection } from '../support/replica/driver.js';
import { alteringTags, keyedTables, useRestoreFixture, whileHeld } from '../support/restore-fixture.js';
import { expectDone, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { isFull } from '../support/scale.js';

const fixture = useRestoreFixture(keyedTables);
const { restore } = fixture;

describe('a restore is refused', () => {
  test('for --replace and --merge together, and for --certificates without UCP, with 2', async () => {
    const ended = await restore('--replace', '--merge', '--certificates', fixture.file);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toMatch(/--replace and --merge contradict each other/);
    expect(ended.stderr).toMatch(/--certificates needs UCP/);
  });

  test.each(['file', 'stdin'] as const)('for a --table that %s does not have, with 2', async (from) => {
    const { arg, stdin } = fixture.source(from);
    const flags = ['--table', 'dtr2.tgas', '--table', 'other.*', arg];
    const ended = await runProgram([...restoreFlags(fixture.server), ...flags], stdin);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toMatch(/FATA\[\d+\] --table dtr2\.tgas: not in the archive\n.*--table other\.\*: not in/);
    expect(await tableNames(fixture.server)).toEqual([]);
  });

  test.each(['file', 'stdin'] as const)(
    'for another minor version of DTR from %s, unless told otherwise',
    async (from) => {
      const { arg, stdin } = fixture.source(from);
      const flags = [...restoreFlags(fixture.server, '2.8.4'), arg];
      expectFailure(
        await runProgram(flags, stdin),
        10,
        /is of DTR 2\.9\.4, the replica runs 2\.8\.4: --allow-version-mis/,
      );
      expect(await tableNames(fixture.server)).toEqual([]);
      const allowed = await runProgram([...flags, '--allow-version-mismatch', '--table', 'dtr2.empty'], stdin);
      expectDone(allowed);
      expect(allowed.stderr).toMatch(/^WARN.*is of DTR 2\.9\.4/m);
    },
  );

  test('not for another patch version', async () => {
    expectDone(await runProgram([...restoreFlags(fixture.server, '2.9.18'), fixture.file]));
  });

  test.each([{ mode: [] }, { mode: ['--replace'] }, { mode: ['--merge'] }])(
    'for another primary key, $mode',
    async ({ mode }) => {
      await makeTable(fixture.server, 'dtr2.tags', [], 'id');
      expectFailure(await restore(...mode, fixture.file), 10, /dtr2\.tags has the primary key id, in the archive pk/);
      expect(await tableNames(fixture.server)).toEqual(['dtr2.tags']);
    },
  );

  test('for a table of RethinkDB’s own', async () => {
    const hostile = await fixture.write(
      'hostile.tar',
      alteringTags((table) => ({ ...table, database: 'rethinkdb', name: 'tags' })),
    );
    expectFailure(await restore('--replace', hostile), 10, /rethinkdb\.tags belongs to RethinkDB itself/);
    const locks = await fixture.write(
      'locks.tar',
      alteringTags((table) => ({ ...table, database: 'dtr_backup', name: 'tags' })),
    );
    expectFailure(await restore('--replace', locks), 10, /dtr_backup\.tags belongs to the lock of restores/);
  });

  test('without a version where the replica has tables of DTR, but not where it is empty', async () => {
    const flags = restoreFlags(fixture.server).slice(0, -2);
    expectDone(await runProgram([...flags, fixture.file]));
    expectFailure(await runProgram([...flags, '--replace', fixture.file]), 10, /has tables of DTR.*--dtr-version/);
  });
});

/** As `restore --replace --break-lock`, but where the run that has the lock needs no more than 0.2 s to notice. */
async function breakLock(): Promise<string> {
  const log = createRecordedLog();
  const { host, port } = fixture.server;
  const access: Access = {
    kind: 'direct',
    replicaId: undefined,
    dtrVersion: '2.9.4' as DtrVersion,
    address: { host, port },
    security: { kind: 'plaintext' },
    rethinkdbUser: { name: 'admin', password: new Secret('') },
    connectWindowMs: 5000,
    readTimeoutMs: 5000,
  };
  const allowed = {
    allowUnproven: false,
    allowVersionMismatch: false,
    withCertificates: false,
    comparesContent: false,
  };
  const choice = {
    mode: 'replace',
    only: [],
    dryRun: false,
    skipsIndexes: false,
    skipVerify: false,
    breaksLock: true,
  } as const;
  const open = (): Promise<Input> => Promise.resolve(inputOf(fixture.archive, 65_536));
  await using source = rereadSource(open, silentContext);
  const options = { access, ...choice, ...allowed, otherRunStopsWithinMs: 200 };
  const { failure } = await runRestore(options, source, { ...silentContext, log });
  if (failure !== undefined) throw failure.error;
  return log.lines.join('\n');
}

describe('two restores at once', () => {
  test('are refused with who holds the lock, until it is broken; and every end gives it back', async () => {
    const lock = { id: 'restore', owner: 'c0ffee', startedAt: '2026-11-26T01:00:00.000Z', token: 'theirs' };
    expectDone(await restore(fixture.file));
    await withConnection(fixture.server, (connection) =>
      r.db('dtr_backup').table('locks').insert(lock).run(connection),
    );
    const refused = await restore('--replace', fixture.file);
    const told =
      /another restore writes into this RethinkDB \(c0ffee, which began at 2026-11-26T01:00:00\.000Z\): .*--break-lock/;
    expectFailure(refused, 10, told);
    expectDone(await restore('--dry-run', '--replace', fixture.file));
    // The command itself waits for five seconds.
    const log = isFull ? (await restore('--replace', '--break-lock', fixture.file)).stderr : await breakLock();
    expect(log).toMatch(
      /^WARN.* Breaking the lock of c0ffee.*\nINFO.* Waiting (0\.2|5) s: a restore that still runs notices/m,
    );
    expect((await restore(fixture.file)).exitCode).toBe(10);
    const left = () =>
      withConnection(fixture.server, (connection) => r.db('dtr_backup').table('locks').count().run(connection));
    expect(await left()).toBe(0);
    // No backup takes it, not even one that is told to.
    const backup = await runProgram([...directFlags(fixture.server), '--include-table', 'dtr_backup.*', '--dry-run']);
    expectFailure(backup, 2, /dtr_backup/);
  });

  test('end with 7 where the table of locks was made with another primary key, and leave nothing in it', async () => {
    await withConnection(fixture.server, async (connection) => {
      await r.db('dtr_backup').tableDrop('locks').run(connection);
      await r.db('dtr_backup').tableCreate('locks', { primaryKey: 'owner' }).run(connection);
    });
    for (const flags of [[], ['--break-lock']]) {
      const told = /cannot take the lock of restores \(dtr_backup\.locks\): its primary key is not id but owner: drop/;
      expectFailure(await restore(...flags, fixture.file), 7, told);
    }
    await withConnection(fixture.server, async (connection) => {
      expect(await r.db('dtr_backup').table('locks').count().run(connection)).toBe(0);
      await r.db('dtr_backup').tableDrop('locks').run(connection);
    });
  });

  test('end with 7 and the reason where the table of locks refuses the lock', async () => {
    if (!fixture.server.hasWriteHooks) {
      process.stderr.write('SKIPPED: no RethinkDB 2.4, so a write hook that refuses the lock is not tried\n');
      return;
    }
    expectDone(await restore(fixture.file));
    const locks = r.db('dtr_backup').table('locks');
    await withConnection(fixture.server, async (connection) => {
      await locks
        .setWriteHook((_context, _before, after) => r.branch(after.eq(null), after, r.error('no locks today')))
        .run(connection);
    });
    for (const flags of [[], ['--break-lock']]) {
      const told = /cannot take the lock of restores \(dtr_backup\.locks\): .*no locks today/;
      expectFailure(await restore('--replace', ...flags, fixture.file), 7, told);
    }
    await withConnection(fixture.server, (connection) => r.db('dtr_backup').tableDrop('locks').run(connection));
  });

  test('end with 7 soon after the lock was taken away, and write no more', async () => {
    const addition = (n: number): string => `{"new_val":{"id":${n}},"old_val":null,"type":"add"}`;
    const changes = Array.from({ length: 18_000 }, (_, n) => addition(n));
    const path = fixture.path('many.tar');
    writeFileSync(path, await makeArchive([{ name: 'some', texts: [], changes }], { journalsInside: true }));
    // Changes go one thousand after the other: with this delay there are some 2 s of them.
    await using proxy = await startTcpProxy(fixture.server, { delayMs: 100 });
    const running = runProgram([...restoreFlags(proxy), path]);
    const other = { owner: 'c0ffee', startedAt: 'now', token: 'theirs' };
    const locks = r.db('dtr_backup').table('locks');
    await until('the first changes are written', async () => (await tableNames(fixture.server)).includes('dtr2.some'));
    await withConnection(fixture.server, (connection) => locks.get('restore').update(other).run(connection));
    const ended = await running;
    expectFailure(ended, 7, /lock of this restore was taken by c0ffee/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.some .*INCOMPLETE/m);
    expect((await readTable(fixture.server, 'dtr2.some')).texts.length).toBeLessThan(changes.length);
    await withConnection(fixture.server, (connection) => locks.delete().run(connection));
  });

  test('end with 7 where the lock was taken away in between', async () => {
    const text = (n: number): string => `{"id":${n},"text":"${'x'.repeat(400)}"}`;
    const texts = Array.from({ length: 60 }, (_, n) => text(n));
    const path = fixture.path('some.tar');
    writeFileSync(path, await makeArchive([{ name: 'some', texts }]));
    const locks = r.db('dtr_backup').table('locks');
    const takeAway = (): Promise<void> =>
      withConnection(fixture.server, async (connection) => {
        await until('the lock is there', async () => (await locks.count().run(connection)) > 0);
        await locks.get('restore').update({ owner: 'c0ffee', startedAt: 'now', token: 'theirs' }).run(connection);
      });
    const hold = { server: fixture.server, holdAfterBytes: 15_000 };
    const ended = await whileHeld(hold, (proxy) => runProgram([...restoreFlags(proxy), path]), takeAway);
    expectFailure(ended, 7, /lock of this restore was taken by c0ffee/);
    await withConnection(fixture.server, (connection) => locks.delete().run(connection));
  });
});
