import { describe, expect, test } from '@jest/globals';
import { functionTerm } from '#src/rethink/index-function.js';

const versions = { '2.3.7': '\b\u0006\u0006\u0006', '2.4.4': '\t\u0007\u0007\u0007' };

/** As those servers serialise an index function, up to the versions. */
function serialised(
  json: string,
  { variable = 1n, version = '2.4.4' }: { variable?: bigint; version?: keyof typeof versions } = {},
): Buffer {
  const numbers = Buffer.alloc(12);
  numbers.writeBigInt64LE(variable);
  numbers.writeUInt32LE(Buffer.byteLength(json) + 1, 8);
  const head = Buffer.from(`$reql_index_function$${versions[version]}\0\0\0\0\0\0\u0001`);
  return Buffer.concat([head, numbers, Buffer.from(`${json}\0\t\0\0\0\0\0`)]);
}

function termIn(bytes: Buffer): unknown {
  const found = functionTerm(bytes.toString('base64'));
  return found && JSON.parse(Buffer.concat(found.map((piece) => Buffer.from(piece))).toString());
}

describe('the term in the function of an index', () => {
  test.each([
    [
      'a field',
      '[170,[[10,[[1,1,12]],11],[1,"é",13]],10]',
      [
        170,
        [
          [10, [[1, 1]]],
          [1, 'é'],
        ],
      ],
    ],
    ['a field of the row', '[170,[[13,10],[1,"q\\"uo\'te\\u0001",11]],9]', [170, [[13], [1, 'q"uo\'te\u0001']]]],
    [
      'an object',
      '[3,{"a":[170,[[10,[[1,1,14]],13],[1,"a",15]],12]},9]',
      [
        3,
        {
          a: [
            170,
            [
              [10, [[1, 1]]],
              [1, 'a'],
            ],
          ],
        },
      ],
    ],
    ['a value that looks like a term', '[2,[[1,[7,[8],9],3]],2]', [2, [[1, [7, [8], 9]]]]],
  ])('is that of a client where it is %s', (_what, json, expected) => {
    for (const version of ['2.3.7', '2.4.4'] as const)
      expect(termIn(serialised(json, { version }))).toEqual([69, [[2, [1]], expected]]);
  });

  test('has the variable that RethinkDB gave it', () => {
    const term = termIn(serialised('[31,[[10,[[1,-19,0]],0],[1,"simple",0]],0]', { variable: -19n }));
    expect(term).toEqual([
      69,
      [
        [2, [-19]],
        [
          31,
          [
            [10, [[1, -19]]],
            [1, 'simple'],
          ],
        ],
      ],
    ]);
  });

  test('keeps texts that are not UTF-8', () => {
    const json = Buffer.from('[170,[[10,[[1,1,2]],1],[1,"\u00ed\u00a0\u0080",3]],0]', 'latin1');
    const bytes = serialised('x'.repeat(json.length));
    json.copy(bytes, bytes.indexOf('xx'));
    const found = functionTerm(bytes.toString('base64')) ?? [];
    expect(Buffer.concat(found.map((piece) => Buffer.from(piece))).includes(Buffer.from('eda080', 'hex'))).toBe(true);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['no bracket', Buffer.from('$reql_index_function$\t')],
    ['a bracket too early', Buffer.from('[1]')],
    [
      'another length',
      Buffer.from(serialised('[13,1]').toString('latin1').replace('\u0007\0\0\0[', '\u0006\0\0\0['), 'latin1'),
    ],
    [
      'a length beyond the end',
      Buffer.from(serialised('[13,1]').toString('latin1').replace('\u0007\0\0\0[', '\u0007\0\0\u0001['), 'latin1'),
    ],
    ['no JSON', serialised('[13,1')],
    ['options that are none', serialised('[2,null,1]')],
    ['an escape that no RethinkDB writes', serialised('[170,[[13,1],[1,"\\u00e9",2]],0]')],
  ])('is not there where there is %s', (_what, bytes) => {
    expect(termIn(bytes)).toBeUndefined();
  });
});
