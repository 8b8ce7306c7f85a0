// Findings are counted without end and kept up to a hundred.
import { expect, test } from '@jest/globals';
import { Findings } from '#src/archive/verify/findings.js';

test('a hundred are kept, and all counted', () => {
  const findings = new Findings();
  for (let number = 0; number < 150; number += 1) findings.add(`r/${number}`, 'is wrong');
  expect(findings.count).toBe(150);
  expect(findings.first).toHaveLength(100);
  expect(findings.first.at(-1)).toEqual({ entry: 'r/99', reason: 'is wrong' });
});

test('names are told so that they can be printed', () => {
  const findings = new Findings();
  findings.add('r/a\nb', 'is wrong');
  findings.add(undefined, 'is cut short');
  expect(findings.first).toEqual([{ entry: 'r/a\\u000ab', reason: 'is wrong' }, { reason: 'is cut short' }]);
});
