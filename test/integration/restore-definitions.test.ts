// What a restore makes of secondary indexes and write hooks that are there, and of those in the archive.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Manifest, ManifestTable } from '#src/model/manifest.js';
import { makeArchive, type SampleTable } from '../support/archive/sample.js';
import type { Ended } from '../support/command.js';
import { announceServer } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { clearServer, expectDone, makeTable, readTable, restoreFlags } from '../support/restoring.js';

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

const tagTexts = async (): Promise<readonly string[]> => (await readTable(server, 'dtr2.tags')).texts;

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
