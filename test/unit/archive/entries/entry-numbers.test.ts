import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EntryNumbers } from '#src/archive/entries/entry-numbers.js';

const isWhole = (numbers: readonly number[]): boolean => {
  const seen = new EntryNumbers();
  for (const number of numbers) seen.add(number);
  return seen.isWhole;
};

const shuffled = fc
  .integer({ min: 1, max: 200 })
  .chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }));

test('numbers from 0 without gap are whole in any order', () => {
  fc.assert(fc.property(shuffled, (numbers) => isWhole(numbers)));
  expect(isWhole([])).toBe(true);
});

test('one missing, double or far off is noticed', () => {
  fc.assert(
    fc.property(shuffled, fc.nat(), fc.constantFrom(0, 1, 7, 2 ** 32, 2 ** 40), (numbers, position, offset) => {
      const at = position % numbers.length;
      const altered = numbers.map((number, index) => (index === at ? numbers.length + offset : number));
      const doubled = [...numbers, numbers[at] ?? 0];
      expect([isWhole(altered), isWhole(doubled)]).toEqual([false, false]);
    }),
  );
});
