import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { splitBodies } from '#src/jobs/restore/restore-comparison.js';

const sizesOf = (sizes: readonly number[], maxCount: number, maxBytes: number): number[][] => {
  const bodies = sizes.map((size) => Buffer.alloc(size));
  return [...splitBodies(bodies, { maxCount, maxBytes })].map((batch) => batch.map(({ length }) => length));
};

describe('documents are split for queries', () => {
  test.each<[string, number[], number[][]]>([
    ['none', [], []],
    ['by their number', [1, 1, 1, 1], [[1, 1, 1], [1]]],
    ['by their bytes, the limit included', [4, 6, 1], [[4, 6], [1]]],
    ['with a large one alone', [1, 11, 1], [[1], [11], [1]]],
  ])('%s', (_what, sizes, batches) => {
    expect(sizesOf(sizes, 3, 10)).toEqual(batches);
  });

  test('in order, none lost, none empty, within both limits', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), fc.integer({ min: 1, max: 9 }), fc.nat(60), (sizes, maxCount, maxBytes) => {
        const batches = sizesOf(sizes, maxCount, maxBytes);
        expect(batches.flat()).toEqual(sizes);
        for (const batch of batches) {
          const bytes = batch.reduce((sum, size) => sum + size, 0);
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length <= maxCount && (bytes <= maxBytes || batch.length === 1)).toBe(true);
        }
      }),
    );
  });
});
