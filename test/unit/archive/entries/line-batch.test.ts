// Entries as lines, found by their ends.
import { expect, test } from '@jest/globals';
import { LineBatch } from '#src/archive/entries/line-batch.js';

test('entries are found by their newlines', () => {
  const batch = new LineBatch(Buffer.from('{"a":1}\n{}\n{"b":22}\n'), 5, 9);
  expect(batch.texts()).toEqual(['{"a":1}', '{}', '{"b":22}']);
  expect([0, 1, 2].map((index) => batch.body(index).toString())).toEqual(['{"a":1}', '{}', '{"b":22}']);
  expect(batch).toMatchObject({ count: 3, firstNumber: 5, entriesBefore: 9, largestBytes: 8 });
});

test.each(['{}', '{}\n{'])('entries such as %j, of which the last has no end, are refused', (text) => {
  expect(() => new LineBatch(Buffer.from(text), 0, 0)).toThrow('entries do not end in a newline');
});
