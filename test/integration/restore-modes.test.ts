// What a restore does with tables that are there: refuses them, makes them equal to the archive, writes on top of them; and
// with their secondary indexes and write hooks.
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { makeArchive } from '../support/archive/sample.js';
import type { Ended } from '../support/command.js';
import { expectFailure } from '../support/failure.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { alteringTags, keyedTables, useRestoreFixture } from '../support/restore-fixture.js';
import { clearServer, expectDone, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';
import { scaled } from '../support/scale.js';

const fixture = useRestoreFixture(keyedTables);
const { restore } = fixture;

const tagTexts = async (): Promise<readonly string[]> => (await readTable(fixture.server, 'dtr2.tags')).texts;

describe('a table that holds documents', () => {
  beforeEach(() => makeTable(fixture.server, 'dtr2.tags', ['{"pk":"b","v":0}', '{"pk":"z","v":0}'], 'pk'));

  test.each(['file', 'stdin'] as const)('is refused from %s, and nothing at all is written', async (from) => {
    const { arg, stdin } = fixture.source(from);
    const ended = await runProgram([...restoreFlags(fixture.server), arg], stdin);
    expectFailure(ended, 10, /dtr2\.tags holds 2 documents: --replace .*, --merge/);
    expect(await tagTexts()).toEqual(['{"pk":"b","v":0}', '{"pk":"z","v":0}']);
    expect(await tableNames(fixture.server)).toEqual(['dtr2.tags']);
  });

  test('is refused by a dry run, too, with the plan', async () => {
    const ended = await restore('--dry-run', fixture.file);
    expectFailure(ended, 10, /dtr2\.tags holds 2 documents/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.tags +3 +2 +fill it$/m);
    expect(ended.stdout.toString()).toMatch(/^refused +dtr2\.tags holds 2 documents$/m);
  });

  test.each(['file', 'stdin'] as const)('equals the archive with --replace from %s', async (from) => {
    const { arg, stdin } = fixture.source(from);
    const ended = await runProgram([...restoreFlags(fixture.server), '--replace', arg], stdin);
    expectDone(ended);
    expect(await tagTexts()).toEqual(['{"pk":"a","v":1}', '{"pk":"b","v":1}', '{"pk":"c","v":1}']);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.tags +3 +0 +complete +2 documents deleted first$/m);
  });

  test('has the archive on top of its own with --merge', async () => {
    expectDone(await restore('--merge', fixture.file));
    expect(await tagTexts()).toEqual(['{"pk":"a","v":1}', '{"pk":"b","v":1}', '{"pk":"c","v":1}', '{"pk":"z","v":0}']);
  });

  test('is left alone when --table names another', async () => {
    expectDone(await restore('--table', 'notaryserver.*', '--table', 'dtr2.empty', fixture.file));
    expect(await tagTexts()).toEqual(['{"pk":"b","v":0}', '{"pk":"z","v":0}']);
    expect(await tableNames(fixture.server)).toEqual(['dtr2.empty', 'dtr2.tags', 'notaryserver.tuf_files']);
  });
});

describe('any documents over any others', () => {
  const key = fc.string({ maxLength: 20 }).filter((text) => !text.includes('\0'));
  const rows = fc.uniqueArray(fc.tuple(key, fc.jsonValue({ maxDepth: 2, stringUnit: 'grapheme' })), {
    selector: ([id]) => id,
    maxLength: 12,
  });
  // Many tables at once: a run of the program costs more than all of them.
  const replica = fc.array(rows, { minLength: 10, maxLength: 10 });
  const tableName = (index: number): string => `any${index}`;
  type Rows = [string, unknown][];

  const archiveOf = async (contents: Rows[]): Promise<string> => {
    const inOrder = (some: Rows): Rows => some.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const sample = contents.map((some, index) => ({
      name: tableName(index),
      texts: inOrder(some).map(([id, value]) => JSON.stringify({ id, value })),
    }));
    writeFileSync(fixture.path('any.tar'), await makeArchive(sample));
    return fixture.path('any.tar');
  };

  test('are there alone with --replace, and on top with --merge', async () => {
    await fc.assert(
      fc.asyncProperty(replica, replica, fc.constantFrom('--replace', '--merge'), async (before, after, mode) => {
        expectDone(await restore('--replace', await archiveOf(before)));
        expectDone(await restore(mode, await archiveOf(after)));
        for (const [index, wanted] of after.entries()) {
          const expected = new Map([...(mode === '--merge' ? (before[index] ?? []) : []), ...wanted]);
          const { texts } = await readTable(fixture.server, `dtr2.${tableName(index)}`);
          const documents = [...expected].map(([id, value]) => ({ id, value }));
          expect(texts.map((text) => fieldsInOrder(JSON.parse(text))).sort()).toEqual(
            documents.map(fieldsInOrder).sort(),
          );
        }
      }),
      { numRuns: scaled(2, 6) },
    );
  }, 180_000);
});

/** The document's text with its fields in one order; as pairs, so that none named __proto__ is lost. */
function fieldsInOrder(document: unknown): string {
  return JSON.stringify(document, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
      : value,
  );
}

describe('indexes', () => {
  let code: string;
  const index = (name: string, field: string) =>
    withConnection(fixture.server, (connection) =>
      r.db('dtr2').table('tags').indexCreate(name, r.row(field)).run(connection),
    );
  const withIndex = (): Promise<string> =>
    fixture.write(
      'index.tar',
      alteringTags((table) => {
        const definition = { name: 'byV', function: code, multi: false, geo: false, outdated: false };
        return { ...table, indexes: [definition] };
      }),
    );

  beforeEach(async () => {
    await makeTable(fixture.server, 'dtr2.tags', [], 'pk');
    await index('byV', 'v');
    code = (await readTable(fixture.server, 'dtr2.tags')).indexes.byV ?? '';
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
    expect(Object.keys((await readTable(fixture.server, 'dtr2.tags')).indexes).sort()).toEqual(['byV', 'more']);
    expectDone(await restore('--replace', file));
    expect((await readTable(fixture.server, 'dtr2.tags')).indexes).toEqual({ byV: code });
  });

  test.each(['file', 'stdin'] as const)(
    'that differ are refused from %s, stay with --merge, change with --replace',
    async (from) => {
      const file = await withIndex();

      const run = (...flags: string[]): Promise<Ended> =>
        from === 'file'
          ? restore(...flags, file)
          : runProgram([...restoreFlags(fixture.server), ...flags, '-'], { stdin: readFileSync(file) });
      await withConnection(fixture.server, (connection) => r.db('dtr2').table('tags').indexDrop('byV').run(connection));
      await index('byV', 'w');
      const own = (await readTable(fixture.server, 'dtr2.tags')).indexes.byV;
      expectFailure(await run(), 10, /dtr2\.tags has another index byV than the archive: --replace/);
      const merged = await run('--merge');
      expectDone(merged);
      expect(merged.stderr).toMatch(/^WARN.*another index byV than the archive: it stays/m);
      expect((await readTable(fixture.server, 'dtr2.tags')).indexes.byV).toBe(own);
      expectDone(await run('--replace'));
      expect((await readTable(fixture.server, 'dtr2.tags')).indexes).toEqual({ byV: code });
    },
  );
});

describe('write hooks', () => {
  // Of RethinkDB 2.4: other servers have none, as their announcement says.
  const setHook = (mark: string) =>
    withConnection(fixture.server, (connection) =>
      r
        .db('dtr2')
        .table('tags')
        .setWriteHook((_context, _before, after) => r.branch(after.eq(null), r.error('no'), after.merge({ mark })))
        .run(connection),
    );
  const hookOf = async (): Promise<string | undefined> => (await readTable(fixture.server, 'dtr2.tags')).hook;
  let wanted: string;
  let file: string;

  const testHooks = (name: string, run: () => Promise<void>): void => {
    test(name, async () => {
      if (!fixture.server.hasWriteHooks) return;
      await makeTable(fixture.server, 'dtr2.tags', [], 'pk');
      await setHook('archive');
      wanted = (await hookOf()) ?? '';
      file = await fixture.write(
        'hook.tar',
        alteringTags((table) => ({ ...table, writeHook: { function: wanted } })),
      );
      await run();
    });
  };
  const plain = ['{"pk":"a","v":1}', '{"pk":"b","v":1}', '{"pk":"c","v":1}'];

  testHooks('of the archive are set at the end, and do not touch what is written', async () => {
    await clearServer(fixture.server);
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
    expectDone(await restore(fixture.file));
    expect(await hookOf()).toBe(wanted);
    expectDone(await restore('--replace', fixture.file));
    expect(await hookOf()).toBeUndefined();
  });
});
