import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareReqlKeys, isSameKey } from '#src/archive/verify/key-order.js';
import { encodeText } from '#src/model/byte-text.js';
import { PrimaryKeys, type KeyFault } from '#src/archive/verify/primary-keys.js';
import type { DocumentEncoding } from '#src/model/manifest.js';

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

describe('primary keys', () => {
  const faultOf = (keys: readonly unknown[], encoding: DocumentEncoding = 'reql'): KeyFault | undefined => {
    const checksums = new PrimaryKeys();
    for (const [number, id] of keys.entries())
      checksums.add(id === undefined ? { other: 1 } : { id, other: number % 2 }, number);
    return checksums.fault('id', encoding, true);
  };

  const isVerified = (keys: readonly unknown[]): boolean => {
    const checksums = new PrimaryKeys();
    for (const [number, id] of keys.entries()) checksums.add({ id }, number);
    return checksums.isVerified('id');
  };

  test('in order are proved', () => {
    expect(faultOf(inOrder)).toBeUndefined();
    expect(faultOf([])).toBeUndefined();
    expect(
      faultOf([
        ['a', time(1)],
        ['a', time(2)],
      ]),
    ).toBeUndefined();
  });

  test('that double, go back, or are not there are told with their entry', () => {
    expect(faultOf(['a', 'b', 'b', 'a'])).toEqual({
      number: 2,
      reason: 'has the primary key of the document before it',
    });
    expect(faultOf(['b', 'a'])).toEqual({
      number: 1,
      reason: 'has a primary key that does not follow the one before it',
    });
    expect(faultOf(['a', undefined])).toEqual({ number: 1, reason: 'has no primary key' });
    expect(faultOf([undefined, 'a'])).toEqual({ number: 0, reason: 'has no primary key' });
    expect(faultOf([null])).toEqual({ number: 0, reason: 'has a primary key of a type that RethinkDB refuses' });
  });

  test('of a snapshot are only proved to be there', () => {
    const checksums = new PrimaryKeys();
    for (const [number, id] of ['b', 'a', 'b'].entries()) checksums.add({ id }, number);
    expect(checksums.fault('id', 'reql', false)).toBeUndefined();
    checksums.add({ other: 1 }, 3);
    expect(checksums.fault('id', 'reql', false)).toEqual({ number: 3, reason: 'has no primary key' });
  });

  test('of encoding dtr in the order of text are proved', () => {
    const keys = [2, 10, 'a', 'b'];
    expect([faultOf(keys, 'dtr'), isVerified(keys)]).toEqual([undefined, true]);
    expect(isVerified([])).toBe(true);
  });

  const binaries = [[0], [62], [63, 1], [255]].map((bytes) => Buffer.from(bytes).toString('base64'));
  const times = ['2026-01-01T00:00:00+02:00', '2025-12-31T23:00:00Z', '2025-12-31T23:00:01Z'];

  test.each([
    ['BINARY', binaries],
    ['TIME', times],
    ['several types', [1, ...binaries, ...times, 'a', 'b']],
    ['arrays of TIME', times.map((text) => ['a', text])],
  ])('of encoding dtr that may have been %s stand in an order that cannot be checked', (_what, keys) => {
    expect([faultOf(keys, 'dtr'), isVerified(keys)]).toEqual([undefined, false]);
    expect(faultOf(keys)).toMatchObject({ reason: 'has a primary key that does not follow the one before it' });
  });

  test.each([
    [[2, 1], 1],
    [['b', 'a'], 1],
    [['a', 'b', 'b'], 2],
    [[...times.slice(0, 1), ...times], 1],
    [[...times, null], 3],
  ])('of encoding dtr that nothing excuses are told with their entry: %j', (keys, number) => {
    expect(faultOf(keys, 'dtr')).toMatchObject({ number });
  });
});
