// A journal folded by `convert` and one applied by `restore` end in the same tables.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { makeArchive, type SampleTable } from '../support/archive/sample.js';
import { announceServer } from '../support/direct-mode.js';
import { runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { clearServer, expectDone, readTable, restoreFlags, type TableState } from '../support/restoring.js';

const time = (seconds: number, zone = '+00:00'): string =>
  `{"$reql_type$":"TIME","epoch_time":${seconds},"timezone":"${zone}"}`;
const change = (before: string, after: string): string =>
  `{"new_val":${after},"old_val":${before},"type":"${before === 'null' ? 'add' : after === 'null' ? 'remove' : 'change'}"}`;
const row = (id: string, value: number): string => `{"id":${id},"value":${value}}`;

const tables: readonly SampleTable[] = [
  {
    name: 'events',
    texts: ['3', '"é"', '[1,"x"]', time(7), '1', '2'].map((id) => row(id, 0)),
    changes: [
      change(row('1', 0), row('1', 1)),
      change(row('1', 1), 'null'),
      change('null', row('1', 2)),
      change(row('"é"', 0), 'null'),
      change(row('[1,"x"]', 0), row('[1,"x"]', 3)),
      change(row(time(7), 0), row(time(7, '+02:00'), 4)),
      change('null', row('"new"', 5)),
      change('null', row('"brief"', 6)),
      change(row('"brief"', 6), 'null'),
    ],
  },
  { name: 'tags', primaryKey: 'pk', texts: ['{"pk":"b"}', '{"pk":"a"}'] },
];

let server: ReqlServer;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  server = await startReqlServer();
  announceServer(server);
  writeFileSync(join(directory, 'b.tar'), await makeArchive(tables, { journalsInside: true }));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});
beforeEach(() => clearServer(server));

async function restored(file: string): Promise<TableState[]> {
  await clearServer(server);
  // Compared with the archive, its changes folded in, by the program as well.
  expectDone(await runProgram([...restoreFlags(server), '--verify', join(directory, file)]));
  return [await readTable(server, 'dtr2.events'), await readTable(server, 'dtr2.tags')];
}

test('on a server the folded archive is the archive', async () => {
  const output = join(directory, 'folded.tar');
  expectDone(await runProgram(['convert', '--output', output, '--verify', join(directory, 'b.tar')]));
  const whole = await restored('b.tar');
  expect(whole[0]?.texts).toHaveLength(6);
  expect(await restored('folded.tar')).toEqual(whole);
});
