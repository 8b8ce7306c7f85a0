// A restore that is stopped in the middle, or whose RethinkDB goes away or changes meanwhile: nothing is claimed that is not so.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeArchive, type SampleTable } from '../support/archive/sample.js';
import { announceServer } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { Program, runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { until } from '../support/until.js';
import { clearServer, expectDone, makeTable, readTable, restoreFlags } from '../support/restoring.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

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

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  archive = await makeArchive(tables);
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

/** A restore held when about half of the documents have gone to the server; `proxy` lets it go on. */
async function restoreHalf(...flags: readonly string[]): Promise<{ program: Program; proxy: TcpProxy }> {
  const proxy = await startTcpProxy(server, { holdAfterBytes: archive.length / 3 });
  const program = new Program([...restoreFlags(proxy), ...flags, file]);
  await Promise.race([proxy.held, program.exitCode()]);
  return { program, proxy };
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
    const { program, proxy } = await restoreHalf('--replace');
    program.child.kill('SIGTERM');
    proxy.release();
    const ended = await program.ended();
    await proxy[Symbol.asyncDispose]();
    expectFailure(ended, 143, /terminated by SIGTERM/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.events .*INCOMPLETE/m);
    // The replica's own hook was never taken away.
    if (hasHooks) expect((await readTable(server, 'dtr2.events')).hook).toBeDefined();

    expectFailure(await runProgram([...restoreFlags(server), file]), 10, /holds/);
    expectDone(await runProgram([...restoreFlags(server), '--replace', file]));
    await expectRestored();
    expect((await readTable(server, 'dtr2.events')).hook).toBeUndefined();
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
    const { program, proxy } = await restoreHalf();
    await server.restart();
    proxy.release();
    expectDone(await program.ended());
    await proxy[Symbol.asyncDispose]();
    await expectRestored();
  });

  test('killed in the middle has lost nothing that it answered, also where the archive is written over old documents', async () => {
    const old = events.map((text) => text.replace('"text":"', '"text":"old'));
    writeFileSync(join(directory, 'old.tar'), await makeArchive([{ name: 'events', texts: old }]));
    expectDone(await runProgram([...restoreFlags(server), join(directory, 'old.tar')]));
    const { program, proxy } = await restoreHalf('--merge', '--verify');
    await server.kill();
    await server.restart();
    proxy.release();
    const ended = await program.ended();
    await proxy[Symbol.asyncDispose]();
    expectDone(ended);
    expect(ended.stderr).toMatch(/^INFO.*Compared the content of 6,005 documents$/m);
    await expectRestored();
  }, 60_000);

  test('gone for good ends with 7 and what was applied', async () => {
    const { program, proxy } = await restoreHalf('--connect-timeout', '1');
    await server.kill();
    proxy.release();
    const ended = await program.ended();
    await proxy[Symbol.asyncDispose]();
    await server.restart();
    expectFailure(ended, 7, /RethinkDB at .* did not answer within 1 s/);
    expect(ended.stderr).toMatch(/^WARN.*The lock of this restore stays: .*--break-lock/m);
    expect(ended.stdout.toString()).toMatch(
      /^dtr2\.events +[\d,]+ +0 +INCOMPLETE +created, [\d,]+ entries sent without an answer$/m,
    );
    expectDone(await runProgram([...restoreFlags(server), '--replace', '--break-lock', file]));
  }, 60_000);

  test('that somebody else writes into is noticed by its count', async () => {
    const { program, proxy } = await restoreHalf();
    await withConnection(server, async (connection) => {
      await r.db('dtr2').table('blobs').insert({ id: 'theirs' }).run(connection);
    });
    proxy.release();
    const ended = await program.ended();
    await proxy[Symbol.asyncDispose]();
    expectFailure(ended, 7, /dtr2\.blobs holds 3 documents, the archive has 2: something else writes/);
  });

  test('that somebody else deletes from is noticed by its count', async () => {
    const { program, proxy } = await restoreHalf();
    await withConnection(server, async (connection) => {
      const blobs = r.db('dtr2').table('blobs');
      await until('blobs are written', async () => (await blobs.delete().run(connection)).deleted > 0);
    });
    proxy.release();
    const ended = await program.ended();
    await proxy[Symbol.asyncDispose]();
    expectFailure(ended, 7, /dtr2\.blobs holds \d documents, the archive has 2: something else deletes/);
  });

  test('in which somebody else alters a document is noticed with --verify alone', async () => {
    for (const flags of [[], ['--verify']]) {
      await clearServer(server);
      const { program, proxy } = await restoreHalf(...flags);
      await withConnection(server, async (connection) => {
        const blobs = r.db('dtr2').table('blobs');
        const alter = async () => (await blobs.get(1).update({ altered: true }).run(connection)).replaced > 0;
        await until('a document is altered', alter);
      });
      proxy.release();
      const ended = await program.ended();
      await proxy[Symbol.asyncDispose]();
      if (flags.length === 0) {
        expectDone(ended);
        expect(ended.stderr).toMatch(
          /Compared the number of documents in 3 tables; --verify compares their content, too/,
        );
      } else expectFailure(ended, 7, /not as in the archive after they were written: 1 of dtr2\.blobs: something else/);
    }
  }, 60_000);
});
