// What RethinkDB stores and UTF-8, the calendar or a call stack have no room for: taken as it is, or refused by name.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { findRethinkdb } from '../support/replica/find-rethinkdb.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';

let server: ReqlServer;
let directory: string;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
}, 60_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

/** The embedded server keeps text as JavaScript does, and calls itself for every level: what it cannot hold is skipped. */
const testOfRethinkdb = findRethinkdb() === undefined ? test.skip : test;

const high = 'eda0bd';
const low = 'edb880';

/** A term passes for the value it stands for. Asserting it of the driver's own types would take a minute to check. */
const standIn = (term: unknown): string => term as string;

/** The text of these bytes: the driver's own strings are made UTF-8 on their way. */
const textOf = (hex: string): string => standIn(r.binary(Buffer.from(hex, 'hex')).coerceTo('string'));

async function withTable(documents: readonly unknown[], use: (flags: string[]) => Promise<void>): Promise<void> {
  await withConnection(server, async (connection) => {
    if (!(await r.dbList().run(connection)).includes('dtr2')) await r.dbCreate('dtr2').run(connection);
    await r.db('dtr2').tableCreate('odd').run(connection);
    for (const document of documents) {
      const { errors } = await r.db('dtr2').table('odd').insert(document).run(connection);
      expect(errors).toBe(0);
    }
  });
  try {
    await use([...directFlags(server), '--include-table', 'dtr2.odd']);
  } finally {
    await withConnection(server, (connection) => r.db('dtr2').tableDrop('odd').run(connection));
  }
}

/** Backs up, and has the archive verified, converted, and that verified. Gives the archive, and the converted one. */
async function roundOf(flags: readonly string[]): Promise<{ tar: Buffer; converted: Buffer }> {
  const codes: (number | null)[] = [];
  const run = async (args: readonly string[]): Promise<Buffer> => {
    const { exitCode, stdout, stderr } = await runProgram(args);
    codes.push(exitCode);
    expect(exitCode === 0 ? '' : stderr).toBe('');
    return stdout;
  };
  const file = join(directory, 'a.tar');
  const tar = await run(flags);
  writeFileSync(file, tar);
  await run(['verify', file]);
  const converted = await run(['convert', '--document-encoding', 'dtr', file]);
  writeFileSync(file, converted);
  await run(['verify', file]);
  return { tar, converted };
}

describe.each([['scan'], ['snapshot']])('a backup with consistency %s', (consistency) => {
  const inMode = (flags: readonly string[], ...more: string[]) => [...flags, '--consistency', consistency, ...more];

  testOfRethinkdb('has half an emoji, in key, name and value, byte for byte', async () => {
    const documents = [
      { id: textOf(`61${high}`), v: textOf(low) },
      { id: textOf(`61${high}${low}`), v: textOf(high) },
      { id: textOf('61f09f9880'), v: standIn(r.object(textOf(low), 1)) },
    ];
    await withTable(documents, async (flags) => {
      const { tar, converted } = await roundOf(inMode(flags));
      const hexOf = (text: string): string => Buffer.from(text).toString('hex');
      for (const hex of [
        `${hexOf('{"id":"a')}${high}${hexOf('","v":"')}${low}${hexOf('"}')}`,
        `${hexOf('{"id":"a')}${high}${low}${hexOf('","v":"')}${high}${hexOf('"}')}`,
        `${hexOf('{"id":"a😀","v":{"')}${low}${hexOf('":1}}')}`,
      ]) {
        expect([hex, tar.includes(hex, 'hex'), converted.includes(hex, 'hex')]).toEqual([hex, true, true]);
      }
    });
  });

  test('takes TIMEs beyond the calendar, and refuses to make text of them', async () => {
    const times = [253402300800, -62167219201, 1e300].map((seconds, id): unknown => {
      return r.json(`{"id":${id},"t":{"$reql_type$":"TIME","epoch_time":${seconds},"timezone":"+00:00"}}`);
    });
    await withTable(times, async (flags) => {
      const says =
        /document \d of dtr2\.odd has a TIME that encoding dtr has no form for; use --document-encoding reql$/;
      expectFailure(await runProgram(inMode(flags, '--document-encoding', 'dtr')), 7, says);
      const file = join(directory, 't.tar');
      const { exitCode, stdout } = await runProgram(inMode(flags));
      writeFileSync(file, stdout);
      expect([exitCode, (await runProgram(['verify', file])).exitCode]).toEqual([0, 0]);
      expectFailure(await runProgram(['convert', '--document-encoding', 'dtr', file]), 9, says);
    });
  });
});

testOfRethinkdb('a document nested 200,000 deep is backed up, verified and converted', async () => {
  const text = `{"id":1,"t":{"$reql_type$":"TIME","epoch_time":0,"timezone":"+00:00"},"v":${'['.repeat(2e5)}${']'.repeat(2e5)}}`;
  await withTable([r.json(text)], async (flags) => {
    const { tar, converted } = await roundOf(flags);
    expect(tar.includes(text)).toBe(true);
    expect(converted.includes(`{"id":1,"t":"1970-01-01T00:00:00Z","v":${'['.repeat(2e5)}`)).toBe(true);
  });
});

testOfRethinkdb('an index whose name the driver would alter is refused by name', async () => {
  await withTable([{ id: 1 }], async (flags) => {
    await withConnection(server, (connection) => {
      return r.db('dtr2').table('odd').indexCreate(textOf(high), r.row('id')).run(connection);
    });
    const says =
      /the name of a primary key or an index of dtr2\.odd is not UTF-8: rename the index, or leave the table out$/;
    expectFailure(await runProgram(flags), 7, says);
  });
});
