// What a restore refuses, with what is told, and that nothing is written then.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Manifest, ManifestTable } from '#src/model/manifest.js';
import { makeArchive, type SampleTable } from '../support/archive/sample.js';
import type { Ended } from '../support/command.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { Program, runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { clearServer, expectDone, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const tables: readonly SampleTable[] = [
  { name: 'empty', texts: [] },
  { name: 'tags', primaryKey: 'pk', texts: ['{"pk":"a","v":1}', '{"pk":"b","v":1}', '{"pk":"c","v":1}'] },
  { name: 'tuf_files', database: 'notaryserver', primaryKey: 'gun_role_version', texts: [] },
];

let server: ReqlServer;
let directory: string;
let archive: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  archive = await write('archive.tar');
  server = await startReqlServer();
  announceServer(server);
}, 120_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});
beforeEach(() => clearServer(server));

/** Writes an archive of the tables above; `alterTags` changes what its manifest says of `tags`. */
async function write(name: string, alterTags = (table: ManifestTable): ManifestTable => table): Promise<string> {
  const alterManifest = (manifest: Manifest): Manifest => ({
    ...manifest,
    tables: manifest.tables.map((table) => (table.name === 'tags' ? alterTags(table) : table)),
  });
  writeFileSync(join(directory, name), await makeArchive(tables, { alterManifest }));
  return join(directory, name);
}

function restore(...args: readonly string[]): Promise<Ended> {
  return runProgram([...restoreFlags(server), ...args]);
}

describe('a restore is refused', () => {
  test('for --replace and --merge together, and for --certificates without UCP, with 2', async () => {
    const ended = await restore('--replace', '--merge', '--certificates', archive);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toMatch(/--replace and --merge contradict each other/);
    expect(ended.stderr).toMatch(/--certificates needs UCP/);
  });

  test.each(['file', 'stdin'])('for a --table that %s does not have, with 2', async (from) => {
    const input = from === 'stdin' ? { stdin: await makeArchive(tables) } : {};
    const flags = ['--table', 'dtr2.tgas', '--table', 'other.*', from === 'stdin' ? '-' : archive];
    const ended = await runProgram([...restoreFlags(server), ...flags], input);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toMatch(/FATA\[\d+\] --table dtr2\.tgas: not in the archive\n.*--table other\.\*: not in/);
    expect(await tableNames(server)).toEqual([]);
  });

  test.each(['file', 'stdin'])('for another minor version of DTR from %s, unless told otherwise', async (from) => {
    const input = from === 'stdin' ? { stdin: await makeArchive(tables) } : {};
    const flags = [...restoreFlags(server, '2.8.4'), from === 'stdin' ? '-' : archive];
    expectFailure(
      await runProgram(flags, input),
      10,
      /is of DTR 2\.9\.4, the replica runs 2\.8\.4: --allow-version-mis/,
    );
    expect(await tableNames(server)).toEqual([]);
    const allowed = await runProgram([...flags, '--allow-version-mismatch', '--table', 'dtr2.empty'], input);
    expectDone(allowed);
    expect(allowed.stderr).toMatch(/^WARN.*is of DTR 2\.9\.4/m);
  });

  test('not for another patch version', async () => {
    expectDone(await runProgram([...restoreFlags(server, '2.9.18'), archive]));
  });

  test.each([{ mode: [] }, { mode: ['--replace'] }, { mode: ['--merge'] }])(
    'for another primary key, $mode',
    async ({ mode }) => {
      await makeTable(server, 'dtr2.tags', [], 'id');
      expectFailure(await restore(...mode, archive), 10, /dtr2\.tags has the primary key id, in the archive pk/);
      expect(await tableNames(server)).toEqual(['dtr2.tags']);
    },
  );

  test('for a table of RethinkDB’s own', async () => {
    const hostile = await write('hostile.tar', (table) => ({ ...table, database: 'rethinkdb', name: 'tags' }));
    expectFailure(await restore('--replace', hostile), 10, /rethinkdb\.tags belongs to RethinkDB itself/);
    const locks = await write('locks.tar', (table) => ({ ...table, database: 'dtr_backup', name: 'tags' }));
    expectFailure(await restore('--replace', locks), 10, /dtr_backup\.tags belongs to the lock of restores/);
  });

  test('without a version where the replica has tables of DTR, but not where it is empty', async () => {
    const flags = restoreFlags(server).slice(0, -2);
    expectDone(await runProgram([...flags, archive]));
    expectFailure(await runProgram([...flags, '--replace', archive]), 10, /has tables of DTR.*--dtr-version/);
  });
});

describe('two restores at once', () => {
  test('are refused with who holds the lock, until it is broken; and every end gives it back', async () => {
    const lock = { id: 'restore', owner: 'c0ffee', startedAt: '2026-11-26T01:00:00.000Z', token: 'theirs' };
    expectDone(await restore(archive));
    await withConnection(server, (connection) => r.db('dtr_backup').table('locks').insert(lock).run(connection));
    const refused = await restore('--replace', archive);
    const told =
      /another restore writes into this RethinkDB \(c0ffee, which began at 2026-11-26T01:00:00\.000Z\): .*--break-lock/;
    expectFailure(refused, 10, told);
    expectDone(await restore('--dry-run', '--replace', archive));
    const broken = await restore('--replace', '--break-lock', archive);
    expectDone(broken);
    expect(broken.stderr).toMatch(
      /^WARN.*Breaking the lock of c0ffee.*\nINFO.*Waiting 5 s: a restore that still runs notices/m,
    );
    expect((await restore(archive)).exitCode).toBe(10);
    const left = () =>
      withConnection(server, (connection) => r.db('dtr_backup').table('locks').count().run(connection));
    expect(await left()).toBe(0);
    // No backup takes it, not even one that is told to.
    const backup = await runProgram([...directFlags(server), '--include-table', 'dtr_backup.*', '--dry-run']);
    expectFailure(backup, 2, /dtr_backup/);
  });

  test('end with 7 where the table of locks was made with another primary key, and leave nothing in it', async () => {
    await withConnection(server, async (connection) => {
      await r.db('dtr_backup').tableDrop('locks').run(connection);
      await r.db('dtr_backup').tableCreate('locks', { primaryKey: 'owner' }).run(connection);
    });
    for (const flags of [[], ['--break-lock']]) {
      const told = /cannot take the lock of restores in dtr_backup\.locks: its primary key is not id but owner: drop/;
      expectFailure(await restore(...flags, archive), 7, told);
    }
    await withConnection(server, async (connection) => {
      expect(await r.db('dtr_backup').table('locks').count().run(connection)).toBe(0);
      await r.db('dtr_backup').tableDrop('locks').run(connection);
    });
  });

  test('end with 7 and the reason where the table of locks refuses the lock', async () => {
    if (server.kind === 'reqlite') {
      process.stderr.write('SKIPPED: no RethinkDB, so a write hook that refuses the lock is not tried\n');
      return;
    }
    expectDone(await restore(archive));
    const locks = r.db('dtr_backup').table('locks');
    await withConnection(server, async (connection) => {
      await locks
        .setWriteHook((_context, _before, after) => r.branch(after.eq(null), after, r.error('no locks today')))
        .run(connection);
    });
    for (const flags of [[], ['--break-lock']]) {
      const told = /cannot take the lock of restores in dtr_backup\.locks: .*no locks today/;
      expectFailure(await restore('--replace', ...flags, archive), 7, told);
    }
    await withConnection(server, (connection) => r.db('dtr_backup').tableDrop('locks').run(connection));
  });

  test('end with 7 soon after the lock was taken away, and write no more', async () => {
    const addition = (n: number): string => `{"new_val":{"id":${n}},"old_val":null,"type":"add"}`;
    const changes = Array.from({ length: 40_000 }, (_, n) => addition(n));
    const path = join(directory, 'many.tar');
    writeFileSync(path, await makeArchive([{ name: 'some', texts: [], changes }], { journalsInside: true }));
    // Changes go one thousand after the other: with this delay there are some 5 s of them.
    await using proxy = await startTcpProxy(server, { delayMs: 100 });
    const program = new Program([...restoreFlags(proxy), path]);
    await program.waitForLog(/Created dtr2\.some/);
    const other = { owner: 'c0ffee', startedAt: 'now', token: 'theirs' };
    const locks = r.db('dtr_backup').table('locks');
    await withConnection(server, (connection) => locks.get('restore').update(other).run(connection));
    const ended = await program.ended();
    expectFailure(ended, 7, /lock of this restore was taken by c0ffee/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.some .*INCOMPLETE/m);
    expect((await readTable(server, 'dtr2.some')).texts.length).toBeLessThan(changes.length);
    await withConnection(server, (connection) => locks.delete().run(connection));
  });

  test('end with 7 where the lock was taken away in between', async () => {
    await using proxy = await startTcpProxy(server, { holdAfterBytes: 15_000 });
    const text = (n: number): string => `{"id":${n},"text":"${'x'.repeat(400)}"}`;
    writeFileSync(
      join(directory, 'some.tar'),
      await makeArchive([{ name: 'some', texts: Array.from({ length: 60 }, (_, n) => text(n)) }]),
    );
    const program = new Program([...restoreFlags(proxy), join(directory, 'some.tar')]);
    await Promise.race([proxy.held, program.exitCode()]);
    const other = { owner: 'c0ffee', startedAt: 'now', token: 'theirs' };
    await withConnection(server, async (connection) => {
      const locks = r.db('dtr_backup').table('locks');
      await until('the lock is there', async () => (await locks.count().run(connection)) > 0);
      await locks.get('restore').update(other).run(connection);
    });
    proxy.release();
    expectFailure(await program.ended(), 7, /lock of this restore was taken by c0ffee/);
    await withConnection(server, (connection) => r.db('dtr_backup').table('locks').delete().run(connection));
  });
});
