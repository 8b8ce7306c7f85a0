// What changes of a table come to, and which texts are no changes of it.
import { describe, expect, test } from '@jest/globals';
import { foldChanges, NoChangeError } from '#src/rethink/change-batch.js';

const add = (document: string): string => `{"new_val":${document},"type":"add"}`;
const change = (before: string, after: string): string => `{"new_val":${after},"old_val":${before},"type":"change"}`;
const remove = (document: string, type = 'remove'): string => `{"old_val":${document},"type":"${type}"}`;
const time = (zone: string): string => `{"$reql_type$":"TIME","epoch_time":1.5,"timezone":"${zone}"}`;

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
    expect(foldChanges(texts, 'id')).toEqual({ put: [0, 4], removedKeys: [2, 4], growth: 0 });
  });

  test('that add what was removed put it', () => {
    const texts = [remove('{"id":[1,"a"]}'), add('{"id":[1,"a"]}')];
    expect(foldChanges(texts, 'id')).toEqual({ put: [1], removedKeys: [], growth: 0 });
  });

  test('are of one key where RethinkDB takes it for one, and of two where it does not', () => {
    expect(foldChanges([add(`{"at":${time('+00:00')}}`), remove(`{"at":${time('+02:00')}}`)], 'at')).toEqual({
      put: [],
      removedKeys: [JSON.parse(time('+02:00'))],
      growth: 0,
    });
    expect(foldChanges([add('{"id":1}'), add('{"id":"1"}')], 'id')).toEqual({
      put: [0, 1],
      removedKeys: [],
      growth: 2,
    });
  });

  test('that there are not come to nothing', () => {
    expect(foldChanges([], 'id')).toEqual({ put: [], removedKeys: [], growth: 0 });
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
  expect(failureOf([add('{"id":0}'), text, add('{"id":2}')], 'id')).toEqual([1, 'is no change of a document']);
});

test('a primary key that a document does not have itself is none', () => {
  expect(failureOf([remove('{"id":1}')], 'constructor')).toEqual([0, 'is no change of a document']);
});

function failureOf(texts: readonly string[], primaryKey: string): unknown {
  try {
    return foldChanges(texts, primaryKey);
  } catch (error) {
    return error instanceof NoChangeError ? [error.index, error.message] : error;
  }
}
