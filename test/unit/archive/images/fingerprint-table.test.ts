import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { FingerprintTable } from '#src/archive/images/fingerprint-table.js';

const keyOf = (text: string): Buffer => createHash('sha256').update(text).digest();

test('finds again each of more keys than it began with room for, by number, with its flags', () => {
  const table = new FingerprintTable(32, 10_000);
  const numbers = Array.from({ length: 5000 }, (_, index) => index);
  expect(numbers.map((index) => table.add(keyOf(`${index}`)))).toEqual(numbers);
  for (let index = 0; index < 5000; index += 2) table.setFlags(index, 4);
  expect(numbers.map((index) => table.find(keyOf(`${index}`)))).toEqual(numbers);
  expect(numbers.map((index) => table.add(keyOf(`${index}`)))).toEqual(numbers);
  expect(numbers.map((index) => table.flagsAt(index))).toEqual(numbers.map((index) => (index % 2 === 0 ? 4 : 0)));
  expect(table.keyAt(4321)).toEqual(keyOf('4321'));
  expect(table.find(keyOf('none'))).toBeUndefined();
  expect(table.count).toBe(5000);
});

test('keys that differ in their last bits alone are told apart', () => {
  const table = new FingerprintTable(8, 10_000);
  const key = Buffer.alloc(8);
  const numbers = Array.from({ length: 4000 }, (_, index) => index);
  const added = numbers.map((index) => {
    key.writeUInt16BE(index, 6);
    return table.add(key);
  });
  expect(added).toEqual(numbers);
});

/** Keys that a multiplication maps to few hashes: of each word only the two highest bits are set, in either byte order. */
test.each(['writeUInt32LE', 'writeUInt32BE'] as const)('keys of multiples of 2^30 (%s) do not collide', (write) => {
  const table = new FingerprintTable(32, 100_000);
  let compared = 0;
  const numbers = Array.from({ length: 2 ** 14 }, (_, index) => index);
  const added = numbers.map((index) => {
    const key = Buffer.alloc(32);
    for (let word = 0; word < 8; word += 1) key[write](((index >>> (2 * word)) & 3) * 2 ** 30, 4 * word);
    const compare = key.compare.bind(key);
    key.compare = (...of) => {
      compared += 1;
      return compare(...of);
    };
    return table.add(key);
  });
  expect(added).toEqual(numbers);
  // Two for each are usual, and rarely ten; keys that collide are compared with thousands.
  expect(compared / numbers.length).toBeLessThan(200);
});

test('takes no more than it is made for', () => {
  const table = new FingerprintTable(8, 2);
  expect([table.add(keyOf('a')), table.add(keyOf('b')), table.add(keyOf('c'))]).toEqual([0, 1, undefined]);
  expect(table.add(keyOf('b'))).toBe(1);
});
