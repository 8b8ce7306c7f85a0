import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  byteTextOf,
  bytesOfText,
  encodeText,
  isStorableText,
  parseByteText,
  type ByteText,
} from '#src/model/byte-text.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const parse = (json: string): unknown => parseByteText(byteTextOf(Buffer.from(json)));

describe('byte text', () => {
  test('gives every byte back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (array) => {
        const some = Buffer.from(array);
        expect(bytesOfText(byteTextOf(some))).toEqual(some);
      }),
    );
  });

  test('is a part of a buffer where that is asked for', () => {
    expect(byteTextOf(Buffer.from('abcd'), 1, 3)).toBe('bc');
  });

  test('tells a character of four bytes from the two surrogates of it', () => {
    const character = byteTextOf(bytes('22 f09f9880 22'));
    const surrogates = byteTextOf(bytes('22 eda0bd edb880 22'));
    expect(parseByteText(character)).not.toBe(parseByteText(surrogates));
    expect(bytesOfText(parseByteText(surrogates) as ByteText)).toEqual(bytes('eda0bd edb880'));
  });

  test('is the same after JSON.parse and JSON.stringify', () => {
    const text = byteTextOf(
      Buffer.concat([Buffer.from('{"é":["a\\n\\u0001\\"",{"x":"'), bytes('eda080'), Buffer.from('"}]}')]),
    );
    expect(JSON.stringify(parseByteText(text))).toBe(text);
  });

  test('compares as bytes do', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (one, other) => {
        const order = Math.sign(Buffer.compare(one, other));
        const [a, b] = [byteTextOf(Buffer.from(one)), byteTextOf(Buffer.from(other))];
        expect(a < b ? -1 : a > b ? 1 : 0).toBe(order);
      }),
    );
  });

  test('is made of characters as UTF-8, a lone surrogate as three bytes', () => {
    expect(bytesOfText(encodeText('aé€😀'))).toEqual(Buffer.from('aé€😀'));
    expect(bytesOfText(encodeText('\ud800'))).toEqual(bytes('eda080'));
    expect(bytesOfText(encodeText('x\udfff'))).toEqual(bytes('78 edbfbf'));
    expect(encodeText('plain')).toBe('plain');
  });
});

describe('what RethinkDB stores as text', () => {
  test.each([
    ['UTF-8', '61 c3a9 e282ac f09f9880', true],
    ['the first half of an emoji', '61 eda0bd 61', true],
    ['the second half of an emoji', 'edb080', true],
    ['the two halves as characters of their own', 'eda0bd edb880', true],
    ['a surrogate that is cut short', 'eda0', false],
    ['a surrogate in the middle of a character', 'e2 eda080 82ac', false],
    ['a character cut short before a surrogate', 'e282 eda080', false],
    ['a continuation byte alone', '61 80', false],
    ['a character in too many bytes', 'c0af', false],
    ['a character beyond the last', 'f4908080', false],
    ['Latin-1', '67 72 f6 df 65', false],
  ])('%s: %s, %s', (_what, hex, expected) => {
    expect(isStorableText(bytes(hex))).toBe(expected);
  });
});

describe('JSON of byte text', () => {
  test('escapes that RethinkDB does not write are bytes, too', () => {
    expect(parse('"\\u00e9"')).toBe(encodeText('é'));
    expect(parse('"\\u20ac \\ud83d\\ude00 \\uDE00"')).toBe(encodeText('€ 😀 \ude00'));
    expect(parse('"\\ud83d\\u0041"')).toBe(encodeText('\ud83dA'));
    expect(parse('"\\u0041\\udc00"')).toBe(encodeText('A\udc00'));
  });

  test('escapes of ASCII stay escapes until JSON.parse reads them', () => {
    expect(parse('"\\u0022\\u005c\\u0000\\u20ac"')).toBe(encodeText('"\\\0€'));
  });

  test('an escaped backslash before a u is no escape', () => {
    expect(parse('"\\\\u20ac"')).toBe('\\u20ac');
    expect(parse('"\\\\\\u20ac"')).toBe(encodeText('\\€'));
  });

  test('what is no JSON throws', () => {
    expect(() => parse('{"a":"\\u20"}')).toThrow(SyntaxError);
    expect(() => parse('"\\U00e9\\u00e9"')).toThrow(SyntaxError);
    expect(() => parse('{')).toThrow(SyntaxError);
  });
});
