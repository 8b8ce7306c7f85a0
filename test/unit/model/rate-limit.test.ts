import { expect, test } from '@jest/globals';
import { parseRateLimit } from '#src/model/rate-limit.js';

test.each([
  ['5000/s', { unit: 'documents', perSecond: 5000 }],
  ['0.5/s', { unit: 'documents', perSecond: 0.5 }],
  ['10MB/s', { unit: 'bytes', perSecond: 10_000_000 }],
  ['500kB/s', { unit: 'bytes', perSecond: 500_000 }],
  ['1.5 gb/s', { unit: 'bytes', perSecond: 1_500_000_000 }],
] as const)('%s is a rate', (text, rate) => {
  expect(parseRateLimit(text)).toEqual(rate);
});

test.each(['', '0/s', '10', '10MB', '-1/s', '1e3/s', '10MiB/s', '10/min'])('%j is no rate', (text) => {
  expect(parseRateLimit(text)).toBeUndefined();
});
