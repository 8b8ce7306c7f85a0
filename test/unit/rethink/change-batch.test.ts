// What changes of a table come to, and which texts are no changes of it.
import { describe, expect, test } from '@jest/globals';
import { foldChanges, NoChangeError } from '#src/rethink/change-batch.js';

const add = (document: string): string => `{"new_val":${document},"type":"add"}`;
const change = (before: string, after: string): string => `{"new_val":${after},"old_val":${before},"type":"change"}`;
const remove = (document: string, type = 'remove'): string => `{"old_val":${document},"type":"${type}"}`;
const time = (zone: string): string => `{"$reql_type$":"TIME","epoch_time":1.5,"timezone":"${zone}"}`;

/** As text, for the eye. */
function fold(texts: readonly string[], primaryKey: string) {
  const folded = foldChanges(
    texts.map((text) => Buffer.from(text)),
    primaryKey,
  );
  const { put, removedKeys, growth } = folded;
  return { put: put.map(({ index, body }) => [index, String(body)]), removedKeys: removedKeys.map(String), growth };
}

describe('changes', () => {
  test('come to the last word on each key', () => {
    const texts = [
      add('{"id":1}'),
      add('{"id":2}'),
      change('{"id":3,"a":1}', '{"id":3,"a":2}'),
      remove('{"id":2}'),
      change('{"id":3,"a":2}', '{"id":3,"a":3}'),
      remove('{"id":4}', 'uninitial'),
    ];
    expect(fold(texts, 'id')).toEqual({
      put: [
        [0, '{"id":1}'],
        [4, '{"id":3,"a":3}'],
      ],
      removedKeys: ['2', '4'],
      growth: 0,
    });
  });

  test('that add what was removed put it', () => {
    const texts = [remove('{"id":[1,"a"]}'), add('{"id":[1,"a"]}')];
    expect(fold(texts, 'id')).toEqual({ put: [[1, '{"id":[1,"a"]}']], removedKeys: [], growth: 0 });
  });

  test('are of one key where RethinkDB takes it for one, and of two where it does not', () => {
    expect(fold([add(`{"at":${time('+00:00')}}`), remove(`{"at":${time('+02:00')}}`)], 'at')).toEqual({
      put: [],
      removedKeys: [time('+02:00')],
      growth: 0,
    });
    expect(fold([add('{"id":1}'), add('{"id":"1"}')], 'id')).toEqual({
      put: [
        [0, '{"id":1}'],
        [1, '{"id":"1"}'],
      ],
      removedKeys: [],
      growth: 2,
    });
  });

  test('of text that is not UTF-8 keep its bytes, and tell such keys apart', () => {
    const [high, low] = [Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xed, 0xb0, 0x80])];
    const around = (before: string, text: Buffer, after: string): Buffer =>
      Buffer.concat([Buffer.from(before), text, Buffer.from(after)]);
    const { put, removedKeys } = foldChanges(
      [
        around('{"new_val":{"é":"', high, '","v":"x"},"old_val":null,"type":"add"}'),
        around('{"new_val":null,"old_val":{"v":1,"é":"', low, '"},"type":"remove"}'),
      ],
      'é',
    );
    expect(put).toEqual([{ index: 0, body: around('{"é":"', high, '","v":"x"}') }]);
    expect(removedKeys).toEqual([around('"', low, '"')]);
  });

  test('that there are not come to nothing', () => {
    expect(fold([], 'id')).toEqual({ put: [], removedKeys: [], growth: 0 });
  });
});

test.each([
  ['no JSON', '{"new_val":{"id":1},"type":"add"'],
  ['no object', '[{"id":1}]'],
  ['a state of the feed', '{"state":"ready","type":"state"}'],
  ['a document', '{"id":1}'],
  ['an add without a document', '{"new_val":null,"type":"add"}'],
  ['an add with one before', '{"new_val":{"id":1},"old_val":{"id":1},"type":"add"}'],
  ['a change without one before', '{"new_val":{"id":1},"type":"change"}'],
  ['a removal that leaves one', '{"new_val":{"id":1},"old_val":{"id":1},"type":"remove"}'],
  ['a change of a document without the primary key', '{"new_val":{"name":"secret"},"type":"add"}'],
])('a text that is %s is refused by its number, without a word of it', (_what, text) => {
  expect(failureOf([add('{"id":0}'), text, add('{"id":2}')], 'id')).toEqual([1, 'is not a change of a document']);
});

test('a primary key that a document does not have itself is none', () => {
  expect(failureOf([remove('{"id":1}')], 'constructor')).toEqual([0, 'is not a change of a document']);
});

function failureOf(texts: readonly string[], primaryKey: string): unknown {
  try {
    return fold(texts, primaryKey);
  } catch (error) {
    return error instanceof NoChangeError ? [error.index, error.message] : error;
  }
}
