// What restore does to a replica that is not empty, with archives that are not whole, and when it is stopped.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeArchive, sampleCertificates, type SampleTable } from '../support/archive/sample.js';
import type { Ended } from '../support/command.js';
import { announceServer } from '../support/direct-mode.js';
import { Program, runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { clearServer, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';
import { until } from '../support/until.js';

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

const repositories = ['{"id":"a","pulls":1}', '{"id":"b","pulls":2}', '{"id":"c","pulls":3}'];
const crons = ['{"id":"gc","schedule":"0 0 * * *"}'];
const tables: readonly SampleTable[] = [
  { name: 'repositories', texts: repositories },
  { database: 'jobrunner', name: 'crons', texts: crons },
];

function fileOf(archive: Buffer): string {
  const file = join(directory, 'a.tar');
  writeFileSync(file, archive);
  return file;
}

async function restoreFile(archive: Buffer, ...flags: string[]): Promise<Ended> {
  return runProgram([...restoreFlags(server), ...flags, fileOf(archive)]);
}

async function textsOf(name: string): Promise<readonly string[]> {
  return (await readTable(server, name)).texts;
}

function lastLine({ stderr }: Ended): string {
  return stderr.trimEnd().split('\n').at(-1) ?? '';
}

describe('tables that hold documents', () => {
  const there = ['{"id":"b","pulls":99}', '{"id":"z","pulls":26}'];
  beforeEach(() => makeTable(server, 'dtr2.repositories', there));

  test.each([['a file'], ['stdin']])('are refused, from %s, and nothing is written', async (from) => {
    const archive = await makeArchive(tables);
    const ended =
      from === 'stdin'
        ? await runProgram([...restoreFlags(server), '-'], { stdin: archive })
        : await restoreFile(archive);
    expect(ended.exitCode).toBe(10);
    expect(lastLine(ended)).toMatch(/dtr2\.repositories holds 2 documents: --replace .*--merge/);
    expect(await textsOf('dtr2.repositories')).toEqual(there);
    expect(await tableNames(server)).toEqual(['dtr2.repositories']);
  });

  test('are equal to the archive after --replace', async () => {
    const { exitCode } = await restoreFile(await makeArchive(tables), '--replace');
    expect(exitCode).toBe(0);
    expect(await textsOf('dtr2.repositories')).toEqual(repositories);
    expect(await textsOf('jobrunner.crons')).toEqual(crons);
  });

  test('keep what the archive does not have after --merge', async () => {
    const { exitCode } = await restoreFile(await makeArchive(tables), '--merge');
    expect(exitCode).toBe(0);
    expect(await textsOf('dtr2.repositories')).toEqual([...repositories, '{"id":"z","pulls":26}']);
  });

  test('stay out of it where --table chooses others', async () => {
    const { exitCode } = await restoreFile(await makeArchive(tables), '--table', 'jobrunner.*');
    expect(exitCode).toBe(0);
    expect(await textsOf('dtr2.repositories')).toEqual(there);
    expect(await textsOf('jobrunner.crons')).toEqual(crons);
  });

  test('with another primary key are refused whatever is said', async () => {
    const archive = await makeArchive([{ name: 'repositories', primaryKey: 'pk', texts: ['{"pk":"a"}'] }]);
    const ended = await restoreFile(archive, '--replace');
    expect(ended.exitCode).toBe(10);
    expect(lastLine(ended)).toContain('dtr2.repositories has the primary key id, in the archive pk');
  });
});

test('any documents are restored as they were, over any others', async () => {
  const documents = fc.uniqueArray(fc.tuple(fc.string({ maxLength: 20 }), fc.jsonValue({ maxDepth: 2 })), {
    selector: ([id]) => id,
    maxLength: 12,
  });
  const inOrder = (rows: [string, unknown][]): string[] =>
    rows
      .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([id, value]) => JSON.stringify({ id, value }));
  const usable = documents.filter((rows) => rows.every(([id]) => !id.includes('\0')));
  await makeTable(server, 'dtr2.repositories');
  await fc.assert(
    fc.asyncProperty(usable, usable, async (before, after) => {
      for (const rows of [before, after]) {
        const archive = await makeArchive([{ name: 'repositories', texts: inOrder(rows) }]);
        expect(await restoreFile(archive, '--replace')).toMatchObject({ exitCode: 0 });
      }
      const found = (await textsOf('dtr2.repositories')).map((text) => JSON.parse(text) as { id: string });
      const expected = inOrder(after).map((text) => JSON.parse(text) as { id: string });
      const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
      expect(found.sort(byId)).toEqual(expected.sort(byId));
    }),
    { numRuns: 10 },
  );
});

describe('another version of DTR', () => {
  const flags = (): string[] => restoreFlags(server, '2.8.1');

  test('is refused', async () => {
    const ended = await runProgram([...flags(), fileOf(await makeArchive(tables))]);
    expect(ended.exitCode).toBe(10);
    expect(lastLine(ended)).toMatch(/is of DTR 2\.9\.4, the replica runs 2\.8\.1: --allow-version-mismatch/);
    expect(await tableNames(server)).toEqual([]);
  });

  test('is restored with --allow-version-mismatch, and with a warning', async () => {
    const ended = await runProgram([...flags(), '--allow-version-mismatch', fileOf(await makeArchive(tables))]);
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toMatch(/WARN.*is of DTR 2\.9\.4/);
  });
});

describe('an archive that is not whole', () => {
  const many = Array.from({ length: 5000 }, (_, number) => `{"id":${number},"text":"${'x'.repeat(200)}"}`);
  const cut = async (): Promise<Buffer> => {
    const archive = await makeArchive([...tables.slice(0, 1), { name: 'events', texts: many }]);
    return archive.subarray(0, archive.length - 10_240);
  };

  test('as a file is refused before anything is written', async () => {
    const ended = await restoreFile(await cut());
    expect(ended.exitCode).toBe(9);
    expect(await tableNames(server)).toEqual([]);
  });

  test('as a stream ends with 9 and a list of exactly what was applied', async () => {
    const { exitCode, stdout } = await runProgram([...restoreFlags(server), '--json', '-'], { stdin: await cut() });
    expect(exitCode).toBe(9);
    const { tables: listed } = JSON.parse(stdout.toString()) as { tables: AppliedTable[] };
    for (const { database, name, applied } of listed) {
      expect({ name, count: (await textsOf(`${database}.${name}`)).length }).toEqual({
        name,
        count: applied.documents,
      });
      expect(applied).toMatchObject({ isComplete: false, unconfirmed: 0 });
    }
    expect(listed.map(({ name }) => name)).toEqual(['repositories', 'events']);
  });

  test('a text file, an empty file', async () => {
    for (const bytes of [Buffer.from('no archive\n'), Buffer.alloc(0)]) {
      expect((await restoreFile(bytes)).exitCode).toBe(9);
      expect((await runProgram([...restoreFlags(server), '-'], { stdin: bytes })).exitCode).toBe(9);
    }
    expect(await tableNames(server)).toEqual([]);
  });
});

interface AppliedTable {
  readonly database: string;
  readonly name: string;
  readonly applied: { readonly documents: number; readonly isComplete: boolean; readonly unconfirmed: number };
}

test('a document that the server refuses is named with its table and entry', async () => {
  const texts = ['{"id":"a"}', `{"id":"${'k'.repeat(200)}"}`, '{"id":"l"}'];
  const ended = await restoreFile(await makeArchive([{ name: 'repositories', texts }]));
  if (server.kind === 'reqlite') {
    process.stderr.write('SKIPPED on reqlite: it has no limit of a key’s length\n');
    return;
  }
  expect(ended.exitCode).toBe(7);
  expect(lastLine(ended)).toMatch(/cannot write \S+\/rethink\/repositories\/1 into dtr2\.repositories: .*too long/i);
});

test('stopped half-way and run again with --replace, it reaches the same end', async () => {
  const events = Array.from({ length: 20_000 }, (_, number) => `{"id":${number},"text":"${'x'.repeat(500)}"}`);
  const archive = await makeArchive([{ name: 'events', texts: events }]);
  await makeTable(server, 'dtr2.events');
  const stopped = new Program([...restoreFlags(server), '-'], { stdin: 'open' });
  const ending = stopped.ended();
  // Half of it comes, and then nothing: whatever the machine's speed, it is in the middle when it is stopped.
  stopped.child.stdin?.write(archive.subarray(0, archive.length / 2));
  await stopped.waitForLog(/Writing dtr2\.events/);
  let written = 0;
  const counting = setInterval(() => void textsOf('dtr2.events').then((texts) => (written = texts.length)), 200);
  await until('documents are written', () => written > 0, 60_000);
  clearInterval(counting);
  stopped.child.kill('SIGTERM');
  const { exitCode, stdout } = await ending;
  expect(exitCode).toBe(143);
  expect(stdout.toString()).toMatch(/dtr2\.events .*INCOMPLETE/);
  expect((await restoreFile(archive)).exitCode).toBe(10);
  expect((await restoreFile(archive, '--replace')).exitCode).toBe(0);
  expect(await textsOf('dtr2.events')).toHaveLength(20_000);
});

test('bad calls end with 2', async () => {
  const file = fileOf(await makeArchive(tables, { certificates: sampleCertificates }));
  const both = await runProgram([...restoreFlags(server), '--replace', '--merge', '--certificates', file]);
  expect(both.exitCode).toBe(2);
  expect(both.stderr).toContain('--replace and --merge contradict each other');
  expect(both.stderr).toContain('--certificates needs UCP');
  const none = await restoreFile(await makeArchive(tables), '--table', 'dtr2.nothing');
  expect(none.exitCode).toBe(2);
  expect(none.stderr).toContain('--table dtr2.nothing: not in the archive');
  expect(await tableNames(server)).toEqual([]);
});
