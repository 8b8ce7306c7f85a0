import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rowsTypeOf, splitRows } from '#src/rethink/answer-rows.js';
import { anyText } from '../../support/any-text.js';

function answerOf(texts: readonly string[], type = 3): Buffer {
  return Buffer.from(`{"t":${type},"r":[${texts.join(',')}],"n":[1]}`);
}

test('an answer gives its rows byte for byte, whatever is in them', () => {
  const object = fc.dictionary(anyText, fc.jsonValue());
  fc.assert(
    fc.property(fc.array(object), (objects) => {
      const texts = objects.map((one) => JSON.stringify(one));
      expect(splitRows(answerOf(texts)).toString()).toBe(texts.map((text) => `${text}\n`).join(''));
    }),
  );
});

test('quotes, brackets and backslashes within texts separate nothing', () => {
  const texts = ['{"a":"},{\\"]"}', '{"\\\\":"\\\\\\\\"}', '{"a":[[{"b":"\\\\\\"}]"}]]}', '{}'];
  expect(splitRows(answerOf(texts, 2)).toString()).toBe(`${texts.join('\n')}\n`);
});

test('an answer without rows has none, and an error is left to the driver', () => {
  expect(splitRows(answerOf([])).length).toBe(0);
  expect([rowsTypeOf(answerOf([], 2)), rowsTypeOf(answerOf(['{}'], 3))]).toEqual([2, 3]);
  expect(rowsTypeOf(Buffer.from('{"t":18,"e":4100000,"r":["no such table"],"b":[]}'))).toBeUndefined();
  expect(rowsTypeOf(Buffer.from('{"t":1,"r":[7],"n":[]}'))).toBeUndefined();
});

test.each([
  ['a number', '{"t":2,"r":[7],"n":[]}'],
  ['a text', '{"t":2,"r":["{}"],"n":[]}'],
  ['an array', '{"t":2,"r":[[{}]],"n":[]}'],
  ['a number after an object', '{"t":2,"r":[{},7],"n":[]}'],
  ['no end', '{"t":2,"r":[{"a":1},{"a":'],
  ['no end of a text', '{"t":2,"r":[{"a":"1}],"n":[]}'],
  ['nothing', '{"t":2,"r":['],
])('rows that are %s are refused', (_what, text) => {
  expect(() => splitRows(Buffer.from(text))).toThrow('no object');
});

test('a row of two lines is refused', () => {
  expect(() => splitRows(Buffer.from('{"t":2,"r":[{"a":\n1}],"n":[]}'))).toThrow('more than one line');
});
