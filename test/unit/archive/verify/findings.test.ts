// Findings are counted without end and kept up to a hundred, each where it counts.
import { expect, test } from '@jest/globals';
import { Findings } from '#src/archive/verify/findings.js';

test('of each scope a hundred are kept, and all counted', () => {
  const findings = new Findings();
  for (let number = 0; number < 150; number += 1) {
    findings.add(`r/${number}`, 'is wrong', 'own');
    findings.add(undefined, 'is foreign', 'foreign');
  }
  findings.add('r/a\nb', 'is wrong anywhere');
  expect([findings.count(true), findings.count(false)]).toEqual([151, 151]);
  expect(findings.first(true)).toHaveLength(100);
  expect(findings.first(true).at(-1)).toEqual({ entry: 'r/99', reason: 'is wrong' });
  expect(findings.first(false).at(-1)).toEqual({ reason: 'is foreign' });
});

test('names are told so that they can be printed', () => {
  const findings = new Findings();
  findings.add('r/a\nb', 'is wrong');
  expect(findings.first(true)).toEqual([{ entry: 'r/a\\u000ab', reason: 'is wrong' }]);
});
