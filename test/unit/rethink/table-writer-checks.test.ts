// What is asked of a server about a table that was written: what differs in it, that it is on disk, and that it is empty.
import { describe, expect, test } from '@jest/globals';
import type { RethinkSession } from '#src/rethink/session.js';
import {
  countDocuments,
  emptyTable,
  findDifferences,
  syncTable,
  type WritableTable,
} from '#src/rethink/table-writer.js';
import { asked, atom, errorTypes, runtimeError } from '../../support/replica/scripted-session.js';

const table: WritableTable = { database: 'dtr2', name: 'tags', primaryKey: 'id', writeHook: null };
const tableTerm = [15, [[14, ['dtr2']], 'tags']];
const noRight = runtimeError(errorTypes.permission, 'User `x` may not.');
const deletedAll = (deleted: number): object => atom({ errors: 0, inserted: 0, replaced: 0, unchanged: 0, deleted });

test('differences are found by the server, by their numbers', async () => {
  const find = (session: RethinkSession): Promise<readonly number[]> =>
    findDifferences(session, table, [Buffer.from('{"id":1}'), Buffer.from('{"id":2}')]);
  const { value, terms } = await asked(find, atom([1]));
  expect(value).toEqual([1]);
  const wanted = [10, [1]];
  const found = [16, [tableTerm, [170, [wanted, 'id']]]];
  const differs = [
    18,
    [
      [172, [found]],
      [172, [wanted]],
    ],
  ];
  expect(terms).toEqual([
    [
      87,
      [
        [
          2,
          [
            [1, { id: 1 }],
            [1, { id: 2 }],
          ],
        ],
        [69, [[2, [1]], differs]],
      ],
    ],
  ]);
  for (const answer of [noRight, atom('none')]) {
    await expect(asked(find, answer)).rejects.toMatchObject({
      exitCode: 7,
      message: expect.stringMatching(/^cannot read dtr2\.tags back: /) as unknown,
    });
  }
});

describe('a table', () => {
  test('is emptied a thousand documents at a time, until there is none', async () => {
    const counts: number[] = [];
    const empty = (session: RethinkSession): Promise<void> => emptyTable(session, table, (count) => counts.push(count));
    const answers = [deletedAll(1000), deletedAll(7), deletedAll(0)];
    const removal = [54, [[71, [tableTerm, 1000]]], { durability: 'hard' }];
    expect((await asked(empty, ...answers)).terms).toEqual([removal, removal, removal]);
    expect(counts).toEqual([1000, 7]);
    await expect(asked(empty, noRight)).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot write the removal of its documents into dtr2.tags: User `x` may not.',
    });
  });

  test('is waited for until it is on disk, and counted', async () => {
    expect((await asked((session) => syncTable(session, table), atom({ synced: 1 }))).terms).toEqual([
      [138, [tableTerm]],
    ]);
    expect(await asked((session) => countDocuments(session, table), atom(12))).toEqual({
      value: 12,
      terms: [[43, [tableTerm]]],
    });
  });

  test.each([
    ['write dtr2.tags to disk', syncTable],
    ['count the documents of dtr2.tags', countDocuments],
  ])('that the server does not let us %s ends the run', async (what, ask) => {
    await expect(asked((session): Promise<unknown> => ask(session, table), noRight)).rejects.toMatchObject({
      exitCode: 7,
      message: `cannot ${what}: User \`x\` may not: give another with --rethinkdb-user`,
    });
  });
});
