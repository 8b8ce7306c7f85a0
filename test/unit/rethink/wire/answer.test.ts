import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasMoreRows, ReqlError, splitRows } from '#src/rethink/wire/answer.js';
import { anyText } from '../../../support/any-text.js';

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

test('an answer without rows has none; an error, and one without a place for rows, throw', () => {
  expect(splitRows(answerOf([])).length).toBe(0);
  expect([hasMoreRows(answerOf([], 2)), hasMoreRows(answerOf(['{}'], 3))]).toEqual([false, true]);
  const error = Buffer.from('{"t":18,"e":4100000,"r":["no such table"],"b":[]}');
  expect(() => hasMoreRows(error)).toThrow(new ReqlError('no such table', 4_100_000));
  expect(() => hasMoreRows(Buffer.from('{"t":1,"r":[7],"n":[]}'))).toThrow('without rows');
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
  expect(() => splitRows(Buffer.from(text))).toThrow('not an object');
});

test('a row of two lines is refused', () => {
  expect(() => splitRows(Buffer.from('{"t":2,"r":[{"a":\n1}],"n":[]}'))).toThrow('more than one line');
});
