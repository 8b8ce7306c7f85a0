import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareReqlKeys, isSameKey } from '#src/archive/verify/key-order.js';
import { encodeText } from '#src/model/byte-text.js';
import { isOrdered, PrimaryKeys, type KeyRules } from '#src/archive/verify/primary-keys.js';

const time = (epoch: number, timezone = '+00:00') => ({ $reql_type$: 'TIME', epoch_time: epoch, timezone });
const binary = (...bytes: number[]) => ({ $reql_type$: 'BINARY', data: Buffer.from(bytes).toString('base64') });

/** As a 2.4.4 server orders them by a primary index. */
const inOrder: unknown[] = [
  [],
  [[]],
  [true],
  [1],
  [1, 'b'],
  ['a'],
  ['a', 1],
  ['a', 2],
  ['a', 10],
  ['b'],
  false,
  true,
  -1e300,
  -1,
  0,
  5e-324,
  2,
  10,
  1e21,
  binary(),
  binary(0),
  binary(0, 1),
  binary(1),
  binary(255),
  time(-1),
  time(0, '-08:00'),
  time(0.5),
  time(1e9),
  '',
  'A',
  'Z',
  'a',
  'aa',
  encodeText('é'),
  encodeText('\uD83D'),
  encodeText('\uD83D') + encodeText('\uDE00'),
  encodeText('\uDE00'),
  encodeText('\uE000'),
  encodeText('\uFFFD'),
  encodeText('\u{10000}'),
  encodeText('\u{1F600}'),
];

describe('the order of keys', () => {
  test('is the server’s', () => {
    for (const [index, key] of inOrder.entries()) {
      for (const [other, otherKey] of inOrder.entries()) {
        expect([key, otherKey, Math.sign(compareReqlKeys(key, otherKey))]).toEqual([
          key,
          otherKey,
          Math.sign(index - other),
        ]);
      }
    }
  });

  test('of text is that of its UTF-8 bytes', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareReqlKeys(encodeText(a), encodeText(b)))).toBe(
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        );
      }),
    );
  });

  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));

  test.each([
    [null],
    [{ a: 1 }],
    [[null]],
    [{ $reql_type$: 'GEOMETRY' }],
    [{ $reql_type$: 'TIME' }],
    [{ $reql_type$: 'TIME', epoch_time: '1' }],
    [{ $reql_type$: 'BINARY' }],
    [{ $reql_type$: 'BINARY', data: 1 }],
    [Infinity],
    [undefined],
  ])('has no place for %j', (key) => {
    expect(compareReqlKeys(key, key)).toBeNaN();
  });

  test('has no place for what is nested without end', () => {
    expect(compareReqlKeys(deep, deep)).toBeNaN();
    const time = { $reql_type$: 'TIME', epoch_time: deep };
    expect(compareReqlKeys(time, time)).toBeNaN();
  });

  test('of TIME may name one key in two zones, also as the text of encoding dtr', () => {
    const [one, same] = [
      [1, '2026-01-01T00:00:00+02:00'],
      [1, '2025-12-31T22:00:00Z'],
    ] as const;
    const other = [1, '2025-12-31T22:00:00.5Z'];
    expect([isSameKey(one, same, 'dtr'), isSameKey(one, same, 'reql'), isSameKey(one, other, 'dtr')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(isSameKey(time(1, '+02:00'), time(1), 'reql')).toBe(true);
  });
});

describe('the primary keys of a table', () => {
  const rules = { primaryKey: 'id', documentEncoding: 'reql', isOrdered: true } as const;
  const faultsOf = (keys: readonly unknown[], more: Partial<KeyRules> = {}): (string | undefined)[] => {
    const checked = new PrimaryKeys({ ...rules, ...more });
    return keys.map((id) => checked.documentFault(id === undefined ? { other: 1 } : { id, other: 1 }));
  };
  const none = undefined;

  test('in order have no fault', () => {
    expect(faultsOf(inOrder).filter((fault) => fault !== undefined)).toEqual([]);
    expect(
      faultsOf([
        ['a', time(1)],
        ['a', time(2)],
      ]),
    ).toEqual([none, none]);
  });

  test.each([
    [
      ['a', 'b', 'b', 'a'],
      [none, none, 'has the primary key of the document before it ("id")', none],
    ],
    [
      ['b', 'a', 'a'],
      [none, 'has a primary key that does not follow the one before it ("id")', none],
    ],
    [
      ['a', undefined, undefined],
      [none, 'has no primary key ("id")', none],
    ],
    [
      [undefined, 'a'],
      ['has no primary key ("id")', none],
    ],
    [[null], ['has a primary key of a type that RethinkDB refuses ("id")']],
  ])('of %j have one fault, told with its document', (keys, faults) => {
    expect(faultsOf(keys)).toEqual(faults);
  });

  test.each([{ isOrdered: false }, { isOrdered: false, documentEncoding: 'dtr' } as const])(
    'are only looked for where documents stand in no order: %j',
    (more) => {
      expect(faultsOf(['b', 'a', 'b', undefined], more)).toEqual([none, none, none, 'has no primary key ("id")']);
    },
  );

  test('are in order in a scan of encoding reql alone', () => {
    const orders = (['scan', 'snapshot'] as const).flatMap((consistency) =>
      (['reql', 'dtr'] as const).map((documentEncoding) => isOrdered({ consistency, documentEncoding })),
    );
    expect(orders).toEqual([true, false, false, false]);
  });

  test('are the same before and after a change', () => {
    const checked = new PrimaryKeys(rules);
    const [one, other] = [{ id: 1 }, { id: 2 }];
    expect(checked.changeFault({ type: 'add', newValue: one })).toBeUndefined();
    expect(checked.changeFault({ type: 'change', oldValue: one, newValue: one })).toBeUndefined();
    expect(checked.changeFault({ type: 'change', oldValue: one, newValue: other })).toBe(
      'changes its primary key ("id")',
    );
    expect(checked.changeFault({ type: 'remove', oldValue: {} })).toBeUndefined();
    expect(new PrimaryKeys(rules).changeFault({ type: 'remove', oldValue: {} })).toBe('has no primary key ("id")');
  });
});
