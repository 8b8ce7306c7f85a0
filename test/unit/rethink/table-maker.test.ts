// What is asked of a server to make tables, and what its answers mean.
import { describe, expect, test } from '@jest/globals';
import type { RethinkSession } from '#src/rethink/session.js';
import {
  createDatabase,
  createIndex,
  createTable,
  dropIndex,
  readIndexProgress,
  setWriteAcks,
  setWriteHook,
} from '#src/rethink/table-maker.js';
import { asked, atom, errorTypes, runtimeError } from '../../support/replica/scripted-session.js';

const table = { database: 'dtr2', name: 'tags' };
const noRight = runtimeError(errorTypes.permission, 'User `x` may not.');
const unknownTerm = { t: 18, r: ['the question is not known'], b: [] };

const binary = (base64: string): object => ({ $reql_type$: 'BINARY', data: base64 });
const database = [14, ['dtr2']];
const tableTerm = [15, [database, 'tags']];

test('a database is made where there is none', async () => {
  const create = (session: RethinkSession): Promise<boolean> => createDatabase(session, 'dtr2');
  expect((await asked(create, atom({ dbs_created: 1 }))).value).toBe(true);
  const { value, terms } = await asked(create, atom(null));
  expect(value).toBe(false);
  expect(terms).toEqual([[65, [[93, [[59], 'dtr2']], null, [57, ['dtr2']]]]]);
});

describe('a table', () => {
  const shape = { ...table, primaryKey: 'pk', shardCount: 2, replicaCount: 3 };
  const create = (durability?: string) => (session: RethinkSession) =>
    createTable(session, { ...shape, ...(durability !== undefined && { durability }) });
  const options = { primary_key: 'pk', shards: 2, replicas: 3 };

  test.each([
    ['soft', { ...options, durability: 'soft' }],
    ['hard', options],
    [undefined, options],
  ])('of durability %s is made where there is none, and waited for', async (durability, sent) => {
    const { terms } = await asked(create(durability), atom({ tables_created: 1 }), atom({ ready: 1 }));
    expect(terms).toEqual([
      [65, [[93, [[62, [database]], 'tags']], null, [60, [database, 'tags'], sent]]],
      [177, [tableTerm], { wait_for: 'ready_for_writes', timeout: 30 }],
    ]);
  });

  test('is not waited for where the server knows no waiting', async () => {
    expect((await asked(create(), atom(null), unknownTerm)).terms).toHaveLength(2);
  });

  test.each([
    ['made', [noRight]],
    ['waited for', [atom(null), noRight]],
  ])('that may not be %s ends the run', async (_what, answers) => {
    await expect(asked(create(), ...answers)).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot create table dtr2.tags: User `x` may not: give another with --rethinkdb-user',
    });
  });

  test('answers writes when one replica has them, where the server has that setting', async () => {
    const set = (session: RethinkSession): Promise<void> => setWriteAcks(session, table, 'single');
    const { terms } = await asked(set, atom({ replaced: 1 }));
    expect(terms).toEqual([[53, [[174, [tableTerm]], { write_acks: 'single' }]]]);
    expect((await asked(set, unknownTerm)).terms).toHaveLength(1);
    await expect(asked(set, noRight)).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot configure dtr2.tags: User `x` may not: give another with --rethinkdb-user',
    });
  });

  test.each([
    ['AAEC', binary('AAEC')],
    [null, null],
  ])('gets the write hook %j', async (code, sent) => {
    const hook = code === null ? null : { function: code };
    const { terms } = await asked((session) => setWriteHook(session, table, hook), atom({ replaced: 1 }));
    expect(terms).toEqual([[189, [tableTerm, sent]]]);
  });
});

describe('an index', () => {
  const isThere = [93, [[77, [tableTerm]], 'by_name']];

  test('is made by its function where there is none', async () => {
    const index = { name: 'by_name', function: 'AAEC', multi: true, geo: false, outdated: false };
    const { terms } = await asked(
      (session) => createIndex(session, table, { index, from: 'function' }),
      atom({ created: 1 }),
    );
    expect(terms).toEqual([[65, [isThere, null, [75, [tableTerm, 'by_name', binary('AAEC')]]]]]);
  });

  test('is dropped where there is one', async () => {
    const { terms } = await asked((session) => dropIndex(session, table, 'by_name'), atom({ dropped: 1 }));
    expect(terms).toEqual([[65, [isThere, [76, [tableTerm, 'by_name']], null]]]);
  });

  test('that cannot be made or dropped ends the run', async () => {
    const refused = runtimeError(errorTypes.logic, 'Not this one.');
    const index = { name: 'by_name', function: 'AAEC', multi: true, geo: false, outdated: false };
    await expect(
      asked((session) => createIndex(session, table, { index, from: 'function' }), refused),
    ).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot create index by_name of dtr2.tags: Not this one.',
    });
    await expect(asked((session) => dropIndex(session, table, 'by_name'), refused)).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot drop index by_name of dtr2.tags: Not this one.',
    });
  });

  test.each([
    ['none', [], 1],
    ['all ready', [{ ready: true }, { ready: true }], 1],
    ['one ready, one half built', [{ ready: true }, { ready: false, progress: 0.5 }], 0.75],
    ['one that does not tell', [{ ready: true }, { ready: false }], 0.5],
    ['one that is built and not ready', [{ ready: false, progress: 1 }], 0.99],
  ])('of which there are %s: how far they are built', async (_what, status, progress) => {
    const answer = status.map((one) => ({ index: 'x', ...one }));
    expect((await asked((session) => readIndexProgress(session, table), atom(answer))).value).toBe(progress);
  });
});
