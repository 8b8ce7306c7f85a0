import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EntryNumbers } from '#src/archive/read/foreign-reader.js';

const isWhole = (numbers: readonly number[]): boolean => {
  const seen = new EntryNumbers();
  for (const number of numbers) seen.add(number);
  return seen.isWhole;
};

const shuffled = fc
  .integer({ min: 1, max: 200 })
  .chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }));

test('numbers from 0 without gap are whole in any order', () => {
  fc.assert(fc.property(shuffled, isWhole));
  expect(isWhole([])).toBe(true);
});

test('one missing, double, far off, or numbered as another is noticed', () => {
  fc.assert(
    fc.property(
      shuffled,
      fc.nat(),
      fc.nat(),
      fc.constantFrom(0, 1, 7, 2 ** 32, 2 ** 40),
      (numbers, place, by, offset) => {
        const at = place % numbers.length;
        const other = numbers[(at + 1 + (by % Math.max(1, numbers.length - 1))) % numbers.length] ?? 0;
        const missing = numbers.filter((number) => number !== at);
        const farOff = numbers.with(at, numbers.length + offset);
        const doubled = [...numbers, numbers[at] ?? 0];
        const renumbered = numbers.with(at, other);
        // Without the largest, nothing says that there was one more.
        expect(isWhole(missing)).toBe(at === numbers.length - 1);
        expect([farOff, doubled].map(isWhole)).toEqual([false, false]);
        expect(isWhole(renumbered)).toBe(numbers.length === 1);
      },
    ),
  );
});
