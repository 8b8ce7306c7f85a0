// Restoring an archive of the vendor's shape, which has no manifest and holds documents in the vendor's form.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { foreignTar, type EntryHeader } from '../support/archive/tar-blocks.js';
import { makeVendorArchive, vendorDocument, vendorRoot, vendorTables } from '../support/archive/vendor-listing.js';
import { announceServer } from '../support/direct-mode.js';
import { runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { clearServer, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';

let server: ReqlServer;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  server = await startReqlServer();
  announceServer(server);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});
beforeEach(() => clearServer(server));

describe('the vendor’s archive', () => {
  const root = 'dtr-backup-v2.9.4-online';
  const entry = (name: string, text: string): [EntryHeader, string] => [{ name: `${root}/rethink/${name}` }, text];
  const repositories = ['{"id":"a","pulls":1}', '{"id":"b","pulls":2}'];
  const crons = ['{"id":"gc","schedule":"0 0 * * *"}'];
  const keys = ['{"gun_role_version":["r/a","root",1],"created_at":"2026-01-01T00:00:00Z"}'];
  const vendor = (): Promise<Buffer> =>
    foreignTar([
      ...repositories.map((text, number) => entry(`repositories/${number}`, text)),
      ...keys.map((text, number) => entry(`tuf_files/${number}`, text)),
      ...crons.map((text, number) => entry(`crons/${number}`, text)),
    ]);

  const restore = async (...flags: string[]): ReturnType<typeof runProgram> => {
    const file = join(directory, 'vendor.tar');
    writeFileSync(file, await vendor());
    return runProgram([...restoreFlags(server), ...flags, file]);
  };

  test('is refused: nothing proves it', async () => {
    const ended = await restore();
    expect(ended.exitCode).toBe(9);
    expect(ended.stderr).toContain('--allow-unproven');
    expect(await tableNames(server)).toEqual([]);
  });

  test('is refused where neither it nor the replica tells a table’s primary key', async () => {
    const ended = await restore('--allow-unproven');
    expect(ended.exitCode).toBe(10);
    expect(ended.stderr).toContain('neither the archive nor the replica tells the primary key of dtr2.repositories');
    expect(await tableNames(server)).toEqual([]);
  });

  test('is restored into DTR’s databases with --allow-unproven, and says what is taken for granted', async () => {
    for (const name of ['dtr2.repositories', 'jobrunner.crons']) await makeTable(server, name);
    const ended = await restore('--allow-unproven');
    expect(ended.exitCode).toBe(0);
    expect(await tableNames(server)).toEqual(['dtr2.repositories', 'jobrunner.crons', 'notaryserver.tuf_files']);
    expect(await readTable(server, 'notaryserver.tuf_files')).toMatchObject({ primaryKey: 'gun_role_version' });
    expect((await readTable(server, 'dtr2.repositories')).texts).toEqual(repositories);
    expect(ended.stderr).toMatch(/WARN.*written as text/);
    expect(ended.stderr).toMatch(/WARN.*neither databases nor primary keys nor indexes/);
  });
});

test('an archive after a listing of a real one is inspected, and restored whole', async () => {
  const file = join(directory, 'listing.tar');
  writeFileSync(file, await makeVendorArchive());
  const inspected = await runProgram(['inspect', '--json', file]);
  expect(inspected.exitCode).toBe(0);
  const { root, tables } = JSON.parse(inspected.stdout.toString()) as {
    root: string;
    tables: { directory: string; documentCount: number }[];
  };
  expect(root).toBe(vendorRoot);
  expect(tables.map(({ directory, documentCount }) => [directory, documentCount])).toEqual([...vendorTables]);

  const databases: Readonly<Record<string, string>> = {
    ...{ tuf_files: 'notaryserver', changefeed: 'notaryserver', private_keys: 'notarysigner', crons: 'jobrunner' },
  };
  // As DTR makes them when it is installed; what Notary publishes the keys of is made by the restore.
  const primaryKeys: Readonly<Record<string, string>> = { properties: 'key' };
  for (const [table] of vendorTables) {
    if (databases[table]?.startsWith('notary') === true) continue;
    await makeTable(server, `${databases[table] ?? 'dtr2'}.${table}`, [], primaryKeys[table]);
  }
  const ended = await runProgram([...restoreFlags(server), '--allow-unproven', file]);
  expect(ended.exitCode).toBe(0);
  for (const [table, count] of vendorTables) {
    const { texts } = await readTable(server, `${databases[table] ?? 'dtr2'}.${table}`);
    const expected = Array.from({ length: count }, (_, number) => JSON.parse(vendorDocument(table, number)) as unknown);
    const found = texts.map((text) => JSON.parse(text) as unknown);
    expect(found).toHaveLength(count);
    expect(found).toEqual(expect.arrayContaining(expected));
  }
}, 120_000);
