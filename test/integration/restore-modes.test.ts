// What a restore does with tables that are there: refuses them, makes them equal to the archive, writes on top of them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Manifest, ManifestTable } from '#src/model/manifest.js';
import { makeArchive, type SampleTable } from '../support/archive/sample.js';
import type { Ended } from '../support/command.js';
import { announceServer } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { clearServer, expectDone, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';

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
    writeFileSync(join(directory, 'any.tar'), await makeArchive(sample));
    return join(directory, 'any.tar');
  };

  test('are there alone with --replace, and on top with --merge', async () => {
    await fc.assert(
      fc.asyncProperty(replica, replica, fc.constantFrom('--replace', '--merge'), async (before, after, mode) => {
        expectDone(await restore('--replace', await archiveOf(before)));
        expectDone(await restore(mode, await archiveOf(after)));
        for (const [index, wanted] of after.entries()) {
          const expected = new Map([...(mode === '--merge' ? (before[index] ?? []) : []), ...wanted]);
          const { texts } = await readTable(server, `dtr2.${tableName(index)}`);
          const documents = [...expected].map(([id, value]) => ({ id, value }));
          expect(texts.map((text) => fieldsInOrder(JSON.parse(text))).sort()).toEqual(
            documents.map(fieldsInOrder).sort(),
          );
        }
      }),
      { numRuns: 6 },
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
