// What a restore does with tables that are there: refuses them, makes them equal to the archive, writes on top of them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Manifest, ManifestTable } from '#src/model/manifest.js';
import { makeArchive, type SampleTable } from '../support/archive/sample.js';
import { announceServer } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { runProgram, type Ended } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { clearServer, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';

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

function expectDone({ exitCode, stderr }: Ended): void {
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
}

const tagTexts = async (): Promise<readonly string[]> => (await readTable(server, 'dtr2.tags')).texts;

describe('a table that holds documents', () => {
  beforeEach(() => makeTable(server, 'dtr2.tags', ['{"pk":"b","v":0}', '{"pk":"z","v":0}'], 'pk'));

  test.each(['file', 'stdin'])('is refused from %s, and nothing at all is written', async (from) => {
    const input = from === 'stdin' ? { stdin: await makeArchive(tables) } : {};
    const ended = await runProgram([...restoreFlags(server), from === 'stdin' ? '-' : archive], input);
    expectFailure(ended, 10, /dtr2\.tags holds 2 documents: --replace .*, --merge/);
    expect(await tagTexts()).toEqual(['{"pk":"b","v":0}', '{"pk":"z","v":0}']);
    expect(await tableNames(server)).toEqual(['dtr2.tags']);
  });

  test('is refused by a dry run, too, with the plan', async () => {
    const ended = await restore('--dry-run', archive);
    expectFailure(ended, 10, /dtr2\.tags holds 2 documents/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.tags +3 +2 +fill it$/m);
    expect(ended.stdout.toString()).toMatch(/^refused +dtr2\.tags holds 2 documents$/m);
  });

  test.each(['file', 'stdin'])('equals the archive with --replace from %s', async (from) => {
    const input = from === 'stdin' ? { stdin: await makeArchive(tables) } : {};
    const ended = await runProgram([...restoreFlags(server), '--replace', from === 'stdin' ? '-' : archive], input);
    expectDone(ended);
    expect(await tagTexts()).toEqual(['{"pk":"a","v":1}', '{"pk":"b","v":1}', '{"pk":"c","v":1}']);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.tags +3 +0 +complete +2 documents deleted first$/m);
  });

  test('has the archive on top of its own with --merge', async () => {
    expectDone(await restore('--merge', archive));
    expect(await tagTexts()).toEqual(['{"pk":"a","v":1}', '{"pk":"b","v":1}', '{"pk":"c","v":1}', '{"pk":"z","v":0}']);
  });

  test('is left alone when --table names another', async () => {
    expectDone(await restore('--table', 'notaryserver.*', '--table', 'dtr2.empty', archive));
    expect(await tagTexts()).toEqual(['{"pk":"b","v":0}', '{"pk":"z","v":0}']);
    expect(await tableNames(server)).toEqual(['dtr2.empty', 'dtr2.tags', 'notaryserver.tuf_files']);
  });
});

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
  });

  test('by the manifest of a stream, when the tables it took for granted are others, with what was written', async () => {
    const elsewhere = (table: ManifestTable): ManifestTable => ({ ...table, database: 'elsewhere' });
    const alterManifest = (manifest: Manifest): Manifest => ({ ...manifest, tables: manifest.tables.map(elsewhere) });
    await makeTable(server, 'dtr2.tags', [], 'pk');
    const ended = await runProgram(restoreFlags(server), { stdin: await makeArchive(tables, { alterManifest }) });
    expectFailure(ended, 10, /dtr2\.empty .* was written, but the archive means elsewhere\.empty/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.tags +3 +0 +INCOMPLETE/m);
  });
});

describe('indexes', () => {
  let code: string;
  const index = (name: string, field: string) =>
    withConnection(server, (connection) => r.db('dtr2').table('tags').indexCreate(name, r.row(field)).run(connection));
  const withIndex = (): Promise<string> =>
    write('index.tar', (table) => {
      const definition = { name: 'byV', function: code, multi: false, geo: false, outdated: false };
      return { ...table, indexes: [definition] };
    });

  beforeEach(async () => {
    await makeTable(server, 'dtr2.tags', [], 'pk');
    await index('byV', 'v');
    code = (await readTable(server, 'dtr2.tags')).indexes.byV ?? '';
  });

  test('that are the same stay', async () => {
    const ended = await restore(await withIndex());
    expectDone(ended);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.tags +3 +0 +complete$/m);
  });

  test('that the archive does not have stay, but not with --replace', async () => {
    await index('more', 'm');
    const file = await withIndex();
    expectDone(await restore(file));
    expect(Object.keys((await readTable(server, 'dtr2.tags')).indexes).sort()).toEqual(['byV', 'more']);
    expectDone(await restore('--replace', file));
    expect((await readTable(server, 'dtr2.tags')).indexes).toEqual({ byV: code });
  });

  test.each(['file', 'stdin'])(
    'that differ are refused from %s, stay with --merge, change with --replace',
    async (from) => {
      const file = await withIndex();

      const run = (...flags: string[]): Promise<Ended> =>
        from === 'file'
          ? restore(...flags, file)
          : runProgram([...restoreFlags(server), ...flags, '-'], { stdin: readFileSync(file) });
      await withConnection(server, (connection) => r.db('dtr2').table('tags').indexDrop('byV').run(connection));
      await index('byV', 'w');
      const own = (await readTable(server, 'dtr2.tags')).indexes.byV;
      expectFailure(await run(), 10, /dtr2\.tags has another index byV than the archive: --replace/);
      const merged = await run('--merge');
      expectDone(merged);
      expect(merged.stderr).toMatch(/^WARN.*another index byV than the archive: it stays/m);
      expect((await readTable(server, 'dtr2.tags')).indexes.byV).toBe(own);
      expectDone(await run('--replace'));
      expect((await readTable(server, 'dtr2.tags')).indexes).toEqual({ byV: code });
    },
  );
});

describe('write hooks', () => {
  // RethinkDB only: the embedded server has none, as its announcement says.
  const setHook = (mark: string) =>
    withConnection(server, (connection) =>
      r
        .db('dtr2')
        .table('tags')
        .setWriteHook((_context, _before, after) => r.branch(after.eq(null), r.error('no'), after.merge({ mark })))
        .run(connection),
    );
  const hookOf = async (): Promise<string | undefined> => (await readTable(server, 'dtr2.tags')).hook;
  let wanted: string;
  let file: string;

  const testHooks = (name: string, run: () => Promise<void>): void => {
    test(name, async () => {
      if (server.kind === 'reqlite') return;
      await makeTable(server, 'dtr2.tags', [], 'pk');
      await setHook('archive');
      wanted = (await hookOf()) ?? '';
      file = await write('hook.tar', (table) => ({ ...table, writeHook: { function: wanted } }));
      await run();
    });
  };
  const plain = ['{"pk":"a","v":1}', '{"pk":"b","v":1}', '{"pk":"c","v":1}'];

  testHooks('of the archive are set at the end, and do not touch what is written', async () => {
    await clearServer(server);
    expectDone(await restore(file));
    expect(await hookOf()).toBe(wanted);
    expect(await tagTexts()).toEqual(plain);
  });

  testHooks('of the replica do not run, nor keep documents from being deleted', async () => {
    await setHook('replica');
    const own = await hookOf();
    expectFailure(await restore(file), 10, /dtr2\.tags has another write hook than the archive/);
    expectDone(await restore('--merge', file));
    expect([await hookOf(), await tagTexts()]).toEqual([own, plain]);
    expectDone(await restore('--replace', file));
    expect([await hookOf(), await tagTexts()]).toEqual([wanted, plain]);
  });

  testHooks('that the archive does not have stay, but not with --replace', async () => {
    expectDone(await restore(archive));
    expect(await hookOf()).toBe(wanted);
    expectDone(await restore('--replace', archive));
    expect(await hookOf()).toBeUndefined();
  });
});
