// What is made of a server's answers about its databases and tables.
import { describe, expect, test } from '@jest/globals';
import { describeTable, listTables } from '#src/rethink/catalog.js';
import {
  atom,
  errorTypes,
  runtimeError,
  withScriptedSession,
  type Answers,
} from '../../support/replica/scripted-session.js';

/** `TermType` of RethinkDB's protocol. */
const terms = { dbList: 59, tableList: 62, info: 79, indexStatus: 139, config: 174, getWriteHook: 190 };

const typeOf = (term: unknown): unknown => (Array.isArray(term) ? term[0] : undefined);
const unknownTerm = { t: 18, r: ['the question is not known'], b: [] };
const noRight = runtimeError(errorTypes.permission, 'User `x` does not have the required `read` permission.');

/** Answers by the type of the term; what is not there is not known to the server. */
const byType =
  (answers: Readonly<Record<number, unknown>>): Answers =>
  (term) => {
    const value = answers[Number(typeOf(term))];
    return value === undefined ? unknownTerm : atom(value);
  };

describe('the tables of a server', () => {
  const tables: Readonly<Record<string, readonly string[]>> = {
    dtr2: ['tags', 'events'],
    a: [],
    dtr_backup: ['locks'],
    rethinkdb: ['server_status'],
    notary: ['client'],
  };
  const answers: Answers = (term) => {
    if (typeOf(term) === terms.dbList) return atom(Object.keys(tables));
    const [, [[, [database]]]] = term as [number, [[number, [string]]]];
    return atom(tables[database]);
  };

  test('are listed by database and name, without the server’s own and without the lock', async () => {
    expect(await withScriptedSession(answers, listTables)).toEqual([
      { database: 'dtr2', name: 'events' },
      { database: 'dtr2', name: 'tags' },
      { database: 'notary', name: 'client' },
    ]);
  });

  test('are not listed where the server refuses, or gives something else', async () => {
    await expect(withScriptedSession(() => noRight, listTables)).rejects.toMatchObject({
      exitCode: 7,
      message:
        'cannot list the tables: User `x` does not have the required `read` permission: give another with --rethinkdb-user',
    });
    await expect(withScriptedSession(() => atom([1]), listTables)).rejects.toMatchObject({ exitCode: 7 });
  });
});

describe('a table', () => {
  const table = { database: 'dtr2', name: 'tags' };
  const described = (answers: Answers): Promise<unknown> =>
    withScriptedSession(answers, (session) => describeTable(session, table));
  const binary = (data: string): object => ({ $reql_type$: 'BINARY', data });
  const index = { index: 'by_name', multi: true, geo: false, outdated: false };
  const all = {
    [terms.info]: { id: 'f1', primary_key: 'pk', doc_count_estimates: [10, 5] },
    [terms.indexStatus]: [{ ...index, function: binary('AA\nBB\n'), query: 'indexCreate(…)', ready: true }],
    [terms.config]: {
      durability: 'soft',
      write_acks: 'single',
      shards: [
        { primary_replica: 'one', replicas: ['one', 'two'] },
        { primary_replica: null, replicas: ['two'] },
      ],
    },
    [terms.getWriteHook]: { function: binary('CC\nDD'), query: 'setWriteHook(…)' },
  };

  test('is described in full', async () => {
    expect(await described(byType(all))).toEqual({
      ...table,
      id: 'f1',
      primaryKey: 'pk',
      indexes: [
        { name: 'by_name', function: 'AABB', query: 'indexCreate(…)', multi: true, geo: false, outdated: false },
      ],
      writeHook: { function: 'CCDD', query: 'setWriteHook(…)' },
      durability: 'soft',
      writeAcks: 'single',
      // The second has lost its primary replica for good.
      shards: [
        { primaryReplica: 'one', replicas: ['one', 'two'] },
        { primaryReplica: '', replicas: ['two'] },
      ],
      estimatedDocumentCount: 15,
    });
  });

  test('of an older server has no configuration, no hook and no serialised functions', async () => {
    const answers = byType({ [terms.info]: { primary_key: 'id' }, [terms.indexStatus]: [index] });
    expect(await described(answers)).toEqual({
      ...table,
      primaryKey: 'id',
      indexes: [{ name: 'by_name', multi: true, geo: false, outdated: false }],
      writeHook: null,
    });
  });

  test('without a hook has none, and one without its text is told without', async () => {
    const hookOf = (answer: unknown): Promise<unknown> => {
      const answers = byType({ ...all, [terms.getWriteHook]: answer });
      return withScriptedSession(answers, async (session) => (await describeTable(session, table)).writeHook);
    };
    expect(await hookOf(null)).toBeNull();
    expect(await hookOf({ function: binary('CC') })).toEqual({ function: 'CC' });
  });

  test.each(['config', 'getWriteHook'] as const)(
    'whose %s may not be read is not described without it',
    async (name) => {
      const answers: Answers = (term, count) => (typeOf(term) === terms[name] ? noRight : byType(all)(term, count));
      await expect(described(answers)).rejects.toMatchObject({
        exitCode: 7,
        message:
          'cannot read table dtr2.tags: User `x` does not have the required `read` permission: give another with --rethinkdb-user',
      });
    },
  );

  test.each([
    ['primary key', { ...all, [terms.info]: { primary_key: 'p\ufffdk' } }],
    ['index', { ...all, [terms.indexStatus]: [index, { ...index, index: '\ufffd' }] }],
  ])(
    'with a name of its %s that is not UTF-8 is refused: it would be made again with another',
    async (_what, answers) => {
      await expect(described(byType(answers))).rejects.toMatchObject({
        exitCode: 7,
        message:
          'the name of a primary key or an index of dtr2.tags is not UTF-8: rename the index, or leave the table out',
      });
    },
  );
});
