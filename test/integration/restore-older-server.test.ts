/** A restore into a server that does not accept the serialised functions of the archive, as those of a later RethinkDB. */
import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { RDatum } from 'rethinkdb-ts';
import { describeTable } from '#src/rethink/catalog.js';
import { RethinkSession } from '#src/rethink/session.js';
import type { SecondaryIndex } from '#src/model/table.js';
import { makeArchive, silentContext } from '../support/archive/sample.js';
import { expectFailure } from '../support/failure.js';
import { r, withConnection } from '../support/replica/driver.js';
import { alteringTags, keyedTables, useRestoreFixture } from '../support/restore-fixture.js';
import { clearServer, expectDone, makeTable, tableNames } from '../support/restoring.js';

const fixture = useRestoreFixture(keyedTables);
const { restore } = fixture;

const prefix = Buffer.from('$reql_index_function$');

/** Serialised as by a server yet to come: the byte that follows the prefix is the version of the form. */
function later(code: string): string {
  const bytes = Buffer.from(code, 'base64').subarray(prefix.length + 1);
  return Buffer.concat([prefix, Buffer.from([0x7f]), bytes]).toString('base64');
}

describe('an index', () => {
  const tags = r.db('dtr2').table('tags');
  /** Those of a table as this server serialises them. */
  let there: readonly SecondaryIndex[];
  let known: string;
  let unknown: string;

  beforeEach(async () => {
    await makeTable(fixture.server, 'dtr2.tags', [], 'pk');
    await withConnection(fixture.server, async (connection) => {
      await tags.indexCreate('v').run(connection);
      await tags.indexCreate('pair', (tag: RDatum) => [tag('v'), tag('pk').downcase()]).run(connection);
      await tags.indexCreate('row', r.row('a')('b').default('é"\u0001\ud83d\ude00')).run(connection);
      await tags
        .indexCreate('many', (tag: RDatum) => tag('v').map((one: RDatum) => [one, 1.5]), { multi: true })
        .run(connection);
      await tags.indexCreate('object', (tag: RDatum) => ({ a: tag('v'), b: { c: null } })).run(connection);
      if (fixture.server.kind !== 'reqlite') await tags.indexCreate('place', { geo: true }).run(connection);
    });
    there = await readIndexes();
    const indexes = there.map((index) => ({ ...index, function: later(index.function ?? '') }));
    const lost = { name: 'lost', function: later(''), query: "indexCreate('lost', …)", multi: false, geo: false };
    known = await fixture.write(
      'known.tar',
      alteringTags((table) => ({ ...table, indexes })),
    );
    unknown = await fixture.write(
      'unknown.tar',
      alteringTags((table) => ({ ...table, indexes: [{ ...lost, outdated: false }] })),
    );
    await clearServer(fixture.server);
  });

  async function readIndexes(): Promise<readonly SecondaryIndex[]> {
    const { host, port } = fixture.server;
    const options = { insecureSkipVerify: false, connectWindowMs: 10_000, readTimeoutMs: 30_000 };
    await using session = new RethinkSession({ ...options, address: { host, port } }, silentContext);
    return (await describeTable(session, { database: 'dtr2', name: 'tags' })).indexes;
  }

  test('is made anew from the term in its function', async () => {
    if (fixture.server.kind === 'reqlite') {
      process.stderr.write('SKIPPED: no RethinkDB, so no index is made from the term in its function\n');
      return;
    }
    const planned = await restore('--dry-run', known);
    expectDone(planned);
    expect(planned.stdout.toString()).toContain(
      'build index pair anew, as this RethinkDB does not accept its serialised',
    );
    expectDone(await restore(known));
    const printed = (indexes: readonly SecondaryIndex[]) => indexes.map(({ function: _, ...index }) => index);
    expect(printed(await readIndexes())).toEqual(printed(there));
  });

  test('is refused before anything is written, also in a dry run, where there is no term in it', async () => {
    for (const flags of [[], ['--dry-run']]) {
      const ended = await restore(...flags, unknown);
      expectFailure(
        ended,
        10,
        /this RethinkDB does not accept index lost of dtr2\.tags \(.*\): --skip-indexes leaves out/,
      );
      expect(ended.stdout.toString()).toMatch(/^refused +this RethinkDB does not accept index lost of dtr2\.tags \(/m);
      expect(await tableNames(fixture.server)).toEqual([]);
    }
  });

  test('is left out with --skip-indexes, which says how to make it', async () => {
    const ended = await restore('--skip-indexes', unknown);
    expectDone(ended);
    expect(ended.stderr).toContain(
      "it is left out; make it by hand: r.db('dtr2').table('tags').indexCreate('lost', …)",
    );
    expect(await readIndexes()).toEqual([]);
  });

  test('of the replica stays with --replace --skip-indexes where it cannot be made as in the archive', async () => {
    await makeTable(fixture.server, 'dtr2.tags', [], 'pk');
    await withConnection(fixture.server, (connection) => tags.indexCreate('lost', r.row('v')).run(connection));
    const own = await readIndexes();
    expectDone(await restore('--replace', '--skip-indexes', unknown));
    expect(await readIndexes()).toEqual(own);
  });
});

test('a write hook that the server does not accept is refused, and left out with --skip-indexes', async () => {
  const hook = { function: Buffer.from('of another kind').toString('base64') };
  const file = await fixture.write(
    'hook.tar',
    alteringTags((table) => ({ ...table, writeHook: hook })),
  );
  await clearServer(fixture.server);
  expectFailure(
    await restore(file),
    10,
    /does not accept the write hook of dtr2\.tags \(.*\): --skip-indexes leaves out/,
  );
  expect(await tableNames(fixture.server)).toEqual([]);
  const ended = await restore('--skip-indexes', file);
  expectDone(ended);
  expect(ended.stderr).toMatch(/^WARN.*does not accept the write hook of dtr2\.tags \(.*\): it is left out$/m);
});

test('a name that the server does not accept is refused before anything is written: one with `-` in RethinkDB 2.3', async () => {
  const { server } = fixture;
  const file = fixture.path('name.tar');
  writeFileSync(file, await makeArchive([{ name: 'of-old', texts: ['{"id":1}'] }]));
  await clearServer(server);
  const ended = await restore(file);
  if (server.isOld) {
    expectFailure(ended, 10, /dtr2\.of-old: Table name `of-old` invalid .*: restore it into the RethinkDB version/);
    expect(await tableNames(server)).toEqual([]);
  } else {
    expectDone(ended);
    expect(await tableNames(server)).toEqual(['dtr2.of-old']);
  }
});
