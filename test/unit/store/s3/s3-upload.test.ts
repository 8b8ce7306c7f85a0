import { expect, test } from '@jest/globals';
import { maxParts, partBytes } from '#src/store/s3/s3-upload.js';

const mebibyte = 1024 * 1024;

test('5 TiB fit into the parts that S3 takes, and small archives take little memory', () => {
  const sizes = Array.from({ length: maxParts }, (_, index) => partBytes(index + 1));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(total).toBeGreaterThan(5 * 1024 * 1024 * mebibyte);
  // S3's limits of a part that is not the last, and Node's of one write.
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(5 * mebibyte);
  expect(Math.max(...sizes)).toBeLessThan(2 * 1024 * mebibyte);
  expect(sizes.slice(0, 750).every((size) => size === 8 * mebibyte)).toBe(true);
});
