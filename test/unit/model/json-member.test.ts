import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeText } from '#src/model/byte-text.js';
import { memberText } from '#src/model/json-member.js';
import { anyText } from '../../support/any-text.js';
import { readableText } from '../../support/readable-text.js';

describe('memberText', () => {
  test.each([
    ['{"new_val":{"10":1,"2":1e2,"a":9007199254740993},"type":"add"}', '{"10":1,"2":1e2,"a":9007199254740993}'],
    ['{"old_val":{"new_val":1},"new_val":null}', 'null'],
    [String.raw`{"a":"\\\"new_val\":1}","new_val":"\\"}`, String.raw`"\\"`],
    ['{ "new_val" : [ 1 , "}" ] , "z" : 1 }', '[ 1 , "}" ]'],
    [String.raw`{"new_\u0076al":-0.0}`, '-0.0'],
    ['{"new_val":1,"new_val":2}', '2'],
    ['{"a":{"new_val":1}}', undefined],
    ['{}', undefined],
  ])('of %s', (text, expected) => {
    expect(memberText(encodeText(text), 'new_val')).toBe(expected);
  });

  test('gives every member of any object as its text has it', () => {
    const objects = fc.dictionary(anyText, fc.jsonValue(), { noNullPrototype: true });
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1, '\t'), (object, indent) => {
        const text = JSON.stringify(object, undefined, indent);
        for (const [name, value] of Object.entries(object)) {
          const member = memberText(encodeText(text), encodeText(name));
          expect(member === undefined ? undefined : JSON.stringify(JSON.parse(readableText(member)))).toBe(
            JSON.stringify(value),
          );
        }
      }),
    );
  });
});
