// Everything that can go wrong while an archive is written: what is told then, and that nothing is claimed that is not so.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeArchive, sampleRoot, type SampleTable } from '../support/archive/sample.js';
import { foreignTar } from '../support/archive/tar-blocks.js';
import { announceServer } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { Program, runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { until } from '../support/until.js';
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
let file: string;
/** Where in the archive the documents of `events` have half gone by. */
let half: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  archive = await makeArchive(tables);
  half = archive.indexOf(`${sampleRoot}/rethink/events/3000`);
  file = join(directory, 'archive.tar');
  writeFileSync(file, archive);
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

/** A restore from stdin that has got half of the archive, and has begun with `events`. */
async function restoreHalf(...flags: readonly string[]): Promise<Program> {
  const program = new Program([...restoreFlags(server), ...flags, '-'], { stdin: 'open' });
  program.child.stdin?.write(archive.subarray(0, half));
  await program.waitForLog(/Writing dtr2\.events/);
  return program;
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
    const ended = await runProgram([...restoreFlags(server), '--allow-unproven'], { stdin: await vendors(text) });
    expectFailure(ended, 7, reason);
    expect(ended.stderr).toContain(`cannot write ${sampleRoot}/rethink/events/700 into dtr2.events: `);
    expect(ended.stderr + ended.stdout.toString()).not.toContain('hunter2');
    expect(ended.stdout.toString()).toMatch(/^dtr2\.events .* INCOMPLETE +created/m);
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

  test.each(cases)('(%s) in a stream leaves a list of exactly what was applied', async (_how, make, reason) => {
    const ended = await runProgram([...restoreFlags(server), '--json', '-'], { stdin: make() });
    expectFailure(ended, 9, reason);
    const names = await tableNames(server);
    if (names.length === 0) return;
    const report = JSON.parse(ended.stdout.toString()) as Report;
    expect(report.tables.map(({ database, name }) => `${database}.${name}`)).toEqual(names);
    for (const { database, name, applied } of report.tables) {
      const { texts } = await readTable(server, `${database}.${name}`);
      expect(applied).toMatchObject({ isCreated: true, documents: texts.length, unconfirmed: 0, isComplete: false });
    }
  });
});

interface Report {
  readonly tables: readonly { readonly database: string; readonly name: string; readonly applied: object }[];
}

describe('a restore that is stopped half-way', () => {
  test('by SIGTERM ends with 143 and what was applied; run again with --replace it gets to the same end', async () => {
    const hasHooks = server.kind === 'rethinkdb';
    await makeTable(server, 'dtr2.events', ['{"id":"old"}']);
    if (hasHooks) {
      await withConnection(server, (connection) =>
        r
          .db('dtr2')
          .table('events')
          .setWriteHook((_context, _before, after) => r.branch(after.eq(null), r.error('no'), after))
          .run(connection),
      );
    }
    const program = await restoreHalf('--replace');
    const written = async () => (await readTable(server, 'dtr2.events')).texts.some((text) => !text.includes('"old"'));
    await until('documents are written', written);
    program.child.kill('SIGTERM');
    const ended = await program.ended();
    expectFailure(ended, 143, /terminated by SIGTERM/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.events .*INCOMPLETE/m);
    // The replica's own hook was never taken away.
    if (hasHooks) expect((await readTable(server, 'dtr2.events')).hook).toBeDefined();

    expectFailure(await runProgram([...restoreFlags(server), file]), 10, /holds/);
    expectDone(await runProgram([...restoreFlags(server), '--replace', file]));
    await expectRestored();
    expect((await readTable(server, 'dtr2.events')).hook).toBeUndefined();
  });

  test('by the end of its stdin is one that is cut', async () => {
    const program = await restoreHalf();
    program.child.stdin?.end();
    expectFailure(await program.ended(), 9, /stdin is invalid: .*cut short/);
  });
});

describe('RethinkDB', () => {
  test('cut off in the middle is found again, and nothing is missing', async () => {
    const cutAfterBytes = [Infinity, 500, 600, 700, 800, 500, 600, 700];
    await using proxy = await startTcpProxy(server, { cutAfterBytes });
    const ended = await runProgram([...restoreFlags(proxy), file]);
    expectDone(ended);
    expect(ended.stderr).toMatch(/^WARN.*Waiting for RethinkDB/m);
    expect(proxy.connections).toBeGreaterThan(5);
    await expectRestored();
  });

  test('restarted in the middle is waited for', async () => {
    const program = await restoreHalf();
    await server.restart();
    program.child.stdin?.end(archive.subarray(half));
    expectDone(await program.ended());
    await expectRestored();
  });

  test('gone for good ends with 7 and what was applied', async () => {
    const program = await restoreHalf('--connect-timeout', '1');
    await server.kill();
    program.child.stdin?.end(archive.subarray(half));
    const ended = await program.ended();
    await server.restart();
    expectFailure(ended, 7, /RethinkDB at .* did not answer within 1 s/);
    expect(ended.stdout.toString()).toMatch(
      /^dtr2\.blobs +(2 +0 +INCOMPLETE +created|0 +0 +INCOMPLETE +created, 2 entries sent without an answer)$/m,
    );
  });

  test('that somebody else writes into is noticed by its count', async () => {
    const program = await restoreHalf();
    await withConnection(server, async (connection) => {
      await r.db('dtr2').table('blobs').insert({ id: 'theirs' }).run(connection);
    });
    program.child.stdin?.end(archive.subarray(half));
    expectFailure(await program.ended(), 7, /dtr2\.blobs holds 3 documents, the archive has 2: something else writes/);
  });

  test('that somebody else deletes from is noticed by its count', async () => {
    const program = await restoreHalf();
    if (program.child.stdin === null) throw new Error('no stdin');
    // With `tags` begun, everything before it has been sent.
    program.child.stdin.write(archive.subarray(half, -6000));
    await program.waitForLog(/Writing dtr2\.tags/);
    await withConnection(server, async (connection) => {
      const blobs = r.db('dtr2').table('blobs');
      while ((await blobs.delete().run(connection)).deleted === 0);
    });
    program.child.stdin.end(archive.subarray(-6000));
    await once(program.child.stdin, 'close');
    expectFailure(
      await program.ended(),
      7,
      /dtr2\.blobs holds \d documents, the archive has 2: something else deletes/,
    );
  });
});
