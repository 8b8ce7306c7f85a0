// Everything that can go wrong while an archive is written: what is told then, and that nothing is claimed that is not so.
import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeArchive, sampleRoot, type SampleTable } from '../support/archive/sample.js';
import { foreignTar } from '../support/archive/tar-blocks.js';
import { announceServer } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { Program, runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { clearServer, expectDone, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const events = Array.from(
  { length: 6000 },
  (_, n) => `{"id":"e${String(n).padStart(5, '0')}","text":"${'x'.repeat(400)}"}`,
);
const tables: readonly SampleTable[] = [
  { name: 'blobs', texts: ['{"id":1}', '{"id":2}'] },
  { name: 'events', texts: events },
  { name: 'tags', texts: ['{"id":1}', '{"id":2}', '{"id":3}'] },
];

let server: ReqlServer;
let directory: string;
let archive: Buffer;
/** Where in the archive the documents of `events` have half gone by. */
let half: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  archive = await makeArchive(tables);
  half = archive.indexOf(`${sampleRoot}/rethink/events/3000`);
  server = await startReqlServer();
  announceServer(server);
}, 120_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});
beforeEach(() => clearServer(server));

async function expectRestored(): Promise<void> {
  for (const { name, texts } of tables) {
    expect((await readTable(server, `dtr2.${name}`)).texts).toEqual([...texts].sort());
  }
}

describe('a document that RethinkDB refuses', () => {
  // Of the vendor's shape: there no manifest names the keys, so nothing but RethinkDB looks at them.
  const vendors = (text: string): Promise<Buffer> =>
    foreignTar(
      [...events.slice(0, 700), text, ...events.slice(700, 1000)].map((body, number) => [
        { name: `${sampleRoot}/rethink/events/${number}` },
        body,
      ]),
    );

  test.each([
    ['has a key of no good type', '{"id":null,"secret":"hunter2"}', /Primary keys must be either/],
    ['has no key', '{"secret":"hunter2"}', /it has no primary key \(id\)/],
  ])('because it %s is named with its table and entry, and nothing of it is told', async (_why, text, reason) => {
    await makeTable(server, 'dtr2.events');
    const ended = await runProgram([...restoreFlags(server), '--allow-unproven'], { stdin: await vendors(text) });
    expectFailure(ended, 7, reason);
    expect(ended.stderr).toContain(`cannot write ${sampleRoot}/rethink/events/700 into dtr2.events: `);
    expect(ended.stderr + ended.stdout.toString()).not.toContain('hunter2');
    expect(ended.stdout.toString()).toMatch(/^dtr2\.events .* INCOMPLETE/m);
    const { texts } = await readTable(server, 'dtr2.events');
    expect(texts.filter((one) => one.includes('hunter2'))).toEqual([]);
  });

  test('because its key is too long is named, though the archive is proved', async () => {
    if (server.kind === 'reqlite') return; // It takes keys of any length.
    const texts = [...events.slice(0, 700), `{"id":"e00699~${'hunter2'.repeat(20)}"}`, ...events.slice(700, 1000)];
    const ended = await runProgram(restoreFlags(server), { stdin: await makeArchive([{ name: 'events', texts }]) });
    expectFailure(ended, 7, /events\/700 into dtr2\.events: Primary key too long \(max 127 characters\)$/);
    expect(ended.stderr).not.toContain('hunter2');
  });

  test('is never let in by joining texts that are no documents by themselves', async () => {
    const path = join(directory, 'broken.tar');
    writeFileSync(path, await makeArchive([{ name: 'tags', texts: ['{"id":1', '"x":2}', '{"id":3},{"id":4}'] }]));
    const ended = await runProgram([...restoreFlags(server), '--skip-verify', path]);
    expectFailure(ended, 9, /rethink\/tags\/0: is not JSON, and 2 more findings/);
    expect((await readTable(server, 'dtr2.tags')).texts).toEqual([]);
  });
});

describe('an archive that is false', () => {
  const flipped = (at: number): Buffer => {
    const altered = Buffer.from(archive);
    altered[at] = (altered[at] ?? 0) ^ 1;
    return altered;
  };
  const cases: readonly [string, () => Buffer, RegExp][] = [
    ['altered in a document', () => flipped(half + 600), /rethink\/events\/: does not match its SHA-256/],
    ['altered in a header', () => flipped(half + 136), /has no tar header at byte \d+: it is damaged there/],
    ['cut', () => archive.subarray(0, half), /ends between two entries: it is cut short/],
    ['cut in a document', () => archive.subarray(0, half + 600), /invalid: .*cut short/],
    ['joined with another', () => Buffer.concat([archive, archive]), /goes on for \d+ bytes after its end/],
    ['no archive', () => Buffer.from('not found\n'.repeat(100)), /is not a tar/],
    ['empty', () => Buffer.alloc(0), /is too short for a tar/],
  ];

  test.each(cases)('(%s) in a file is refused before anything is written', async (_how, make, reason) => {
    const path = join(directory, 'false.tar');
    writeFileSync(path, make());
    expectFailure(await runProgram([...restoreFlags(server), path]), 9, reason);
    expect(await tableNames(server)).toEqual([]);
  });

  test.each(cases)('(%s) in a stream is refused before anything is written', async (_how, make, reason) => {
    expectFailure(await runProgram([...restoreFlags(server), '-'], { stdin: make() }), 9, reason);
    expect(await tableNames(server)).toEqual([]);
  });

  test('since it was verified ends with 9 and what was written', async () => {
    const path = join(directory, 'altered.tar');
    writeFileSync(path, archive);
    await using proxy = await startTcpProxy(server, { holdAfterBytes: 500 });
    const program = new Program([...restoreFlags(proxy), path]);
    await program.waitForLog(/Connecting to RethinkDB/);
    await proxy.held;
    const handle = openSync(path, 'r+');
    writeSync(handle, 'yyyyyyyy', archive.indexOf('xxxxxxxx', half));
    closeSync(handle);
    proxy.release();
    const ended = await program.ended();
    expectFailure(ended, 9, /altered\.tar has changed since it was verified/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.events +6,000 +0 +INCOMPLETE +created/m);
  });

  test('and takes the place of a good one after that was verified is never read', async () => {
    const path = join(directory, 'swapped.tar');
    writeFileSync(path, archive);
    writeFileSync(`${path}.new`, await makeArchive([{ name: 'events', texts: ['{"id":"another"}'] }]));
    await using proxy = await startTcpProxy(server, { holdAfterBytes: 500 });
    const program = new Program([...restoreFlags(proxy), path]);
    await program.waitForLog(/Connecting to RethinkDB/);
    await proxy.held;
    renameSync(`${path}.new`, path);
    proxy.release();
    expectDone(await program.ended());
    await expectRestored();
  });
});
