// What is asked of a server to write, and what its answers mean: what it refuses is found and named.
import { describe, expect, test } from '@jest/globals';
import type { RethinkSession } from '#src/rethink/session.js';
import { writeChanges, writeDocuments, type WritableTable } from '#src/rethink/table-writer.js';
import { asked, atom, errorTypes, runtimeError, withScriptedSession } from '../../support/replica/scripted-session.js';

const table: WritableTable = { database: 'dtr2', name: 'tags', primaryKey: 'id', writeHook: null };
const tableTerm = [15, [[14, ['dtr2']], 'tags']];
const none = { errors: 0, inserted: 0, replaced: 0, unchanged: 0, deleted: 0 };
const wrote = (counts: object): object => atom({ ...none, ...counts });
const nameOf = (index: number): string => `entry ${index}`;

function entriesOf(texts: readonly string[]) {
  return { bodies: texts.map((text) => Buffer.from(text)), nameOf };
}

describe('documents', () => {
  const two = ['{"id":1}', '{"id":2}'];
  const write =
    (texts: readonly string[], into = table) =>
    (session: RethinkSession): Promise<void> =>
      writeDocuments(session, into, entriesOf(texts));
  const refused = (reason: string): object => ({ exitCode: 7, message: `cannot write ${reason}` });

  test('are put in place with one query, and are on disk when it is answered', async () => {
    const { terms } = await asked(write(two), wrote({ inserted: 1, replaced: 1 }));
    const documents = [
      2,
      [
        [1, { id: 1 }],
        [1, { id: 2 }],
      ],
    ];
    expect(terms).toEqual([[56, [tableTerm, documents], { conflict: 'replace', durability: 'hard' }]]);
  });

  test('are put in place past the write hook of a table that has one', async () => {
    const hooked = { ...table, writeHook: { function: 'AA' } };
    const { terms } = await asked(write(['{"id":1}'], hooked), wrote({ unchanged: 1 }));
    const options = { conflict: 'replace', durability: 'hard', ignore_write_hook: true };
    expect(terms).toEqual([[56, [tableTerm, [2, [[1, { id: 1 }]]]], options]]);
  });

  test('of which one is refused are asked for one by one, and the one is named without its text', async () => {
    const refusal = { errors: 1, first_error: 'Primary key too long (max 127 characters): "secret"' };
    const answers = [wrote({ ...refusal, inserted: 1 }), wrote({ unchanged: 1 }), wrote(refusal)];
    await expect(asked(write(two), ...answers)).rejects.toMatchObject(
      refused('entry 1 into dtr2.tags: Primary key too long (max 127 characters)'),
    );
  });

  test('that are refused together, but not one by one, are named together', async () => {
    const answers = [
      runtimeError(errorTypes.logic, 'Array over size limit.'),
      wrote({ inserted: 1 }),
      wrote({ inserted: 1 }),
    ];
    await expect(asked(write(two), ...answers)).rejects.toMatchObject(
      refused('entry 0 and the 1 entries after it into dtr2.tags: Array over size limit.'),
    );
  });

  test('that the server counts otherwise are not taken for written', async () => {
    const answers = [wrote({ inserted: 1 }), wrote({ inserted: 1 }), wrote({})];
    await expect(asked(write(two), ...answers)).rejects.toMatchObject(
      refused('entry 1 into dtr2.tags: RethinkDB wrote 0 of 1 documents'),
    );
  });

  test('that are refused without a reason are refused', async () => {
    const refusal = wrote({ errors: 1 });
    await expect(asked(write(['{"id":1}']), refusal, refusal)).rejects.toMatchObject(
      refused('entry 0 into dtr2.tags: no reason given'),
    );
  });

  test('without a primary key are taken away again', async () => {
    const hooked = { ...table, writeHook: { function: 'AA' } };
    const generated = wrote({ inserted: 1, generated_keys: ['k1', 'k2'] });
    const terms: unknown[] = [];
    const answers = [generated, wrote({ deleted: 2 }), generated, wrote({ deleted: 2 })];
    const writing = withScriptedSession(
      (term, count) => {
        terms.push(term);
        return answers[count];
      },
      write(['{"name":"a"}'], hooked),
    );
    await expect(writing).rejects.toMatchObject(refused('entry 0 into dtr2.tags: it has no primary key (id)'));
    const removal = [54, [[78, [tableTerm, 'k1', 'k2']]], { durability: 'hard', ignore_write_hook: true }];
    expect([terms[1], terms[3]]).toEqual([removal, removal]);
  });

  test.each(['{"id":1},[57,["other"]]', '[1]', '{"id":'])('such as %j are never sent', async (text) => {
    await expect(asked(write([text]))).rejects.toMatchObject(
      refused('entry 0 into dtr2.tags: it is not a JSON object'),
    );
  });

  test('whose answer is lost are written again, and then the disk is waited for', async () => {
    const terms: unknown[] = [];
    const answers = [
      runtimeError(errorTypes.opIndeterminate, 'The primary replica was lost.'),
      undefined,
      wrote({ unchanged: 2 }),
      atom({ synced: 1 }),
    ];
    const log = await withScriptedSession(
      (term, count) => {
        terms.push((term as readonly unknown[])[0]);
        return answers[count];
      },
      async (session, lines) => {
        await write(two)(session);
        return lines;
      },
    );
    expect(terms).toEqual([56, 56, 56, 138]);
    expect(log.lines[0]).toMatch(/^WARN Waiting for RethinkDB at 127\.0\.0\.1:\d+: The primary replica was lost\.$/);
  });

  test('that the server answers with something else than counts are not taken for written', async () => {
    await expect(asked(write(two), atom({ errors: 0 }))).rejects.toMatchObject({
      exitCode: 7,
      message: expect.stringMatching(/^cannot write into dtr2\.tags: /) as unknown,
    });
  });
});

describe('changes', () => {
  const apply =
    (...texts: readonly string[]) =>
    (session: RethinkSession): Promise<number> =>
      writeChanges(session, table, entriesOf(texts));
  const remove = '{"old_val":{"id":1},"type":"remove"}';
  const add = '{"new_val":{"id":2},"type":"add"}';

  test('remove, and then put; both of them only where there is something to', async () => {
    const removal = [54, [[78, [tableTerm, [170, [[1, { key: 1 }], 'key']]]]], { durability: 'hard' }];
    const put = [56, [tableTerm, [2, [[1, { id: 2 }]]]], { conflict: 'replace', durability: 'hard' }];
    const both = await asked(apply(remove, add), wrote({ deleted: 1 }), wrote({ inserted: 1 }));
    expect(both).toEqual({ value: 0, terms: [removal, put] });
    expect(await asked(apply(remove), wrote({ deleted: 1 }))).toEqual({ value: -1, terms: [removal] });
    expect(await asked(apply(add), wrote({ inserted: 1 }))).toEqual({ value: 1, terms: [put] });
    expect(await asked(apply())).toEqual({ value: 0, terms: [] });
  });

  test('whose removal is refused are named', async () => {
    const refusal = wrote({ errors: 1, first_error: 'Not this one.' });
    await expect(asked(apply(add, remove), refusal)).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot write entry 0 into dtr2.tags: Not this one.',
    });
  });

  test('of which one is refused name the change that it comes from', async () => {
    const refusal = wrote({ errors: 1, first_error: 'Not this one.' });
    await expect(asked(apply(remove, add), wrote({ deleted: 1 }), refusal, refusal)).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot write entry 1 into dtr2.tags: Not this one.',
    });
  });

  test('that are none end the run, and nothing is sent', async () => {
    await expect(asked(apply(add, '{"state":"ready"}'))).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot write entry 1 into dtr2.tags: it is not a change of a document',
    });
  });
});
