import { describe, expect, test } from '@jest/globals';
import { isAtLeastDtr, parseDtrVersion, type DtrVersion } from '#src/model/dtr-version.js';

function version(text: string): DtrVersion {
  const parsed = parseDtrVersion(text);
  if (parsed === undefined) throw new Error(`not a version: ${text}`);
  return parsed;
}

describe('a version of DTR', () => {
  test.each(['2.5.3', '2.9.4', '3.0.1', '2.10.0-tp1', '2.7.0-rc.2', '2.8.13', '3.1.0-beta1-2', '0.0.0'])(
    '%s is one',
    (text) => {
      expect(parseDtrVersion(text)).toBe(text);
    },
  );

  test.each([
    '',
    '2',
    '2.9',
    'v2.9.4',
    '2.9.4 ',
    ' 2.9.4',
    '2.9.4\n',
    '2.09.4',
    '2.9.4-',
    '2.9.4-a..b',
    '2.9.4-../../etc',
    '2.9.4/x',
    '2.9.4+build',
    '2.9.4.1',
    'latest',
    '../2.9.4',
    '2.9.99999',
    `2.9.4-${'x'.repeat(40)}`,
  ])('%p is none', (text) => {
    expect(parseDtrVersion(text)).toBeUndefined();
  });

  test.each([
    ['2.8.99', false],
    ['2.9.0-tp1', true],
    ['2.9.4', true],
    ['2.10.0', true],
    ['3.0.1', true],
    ['1.12.0', false],
  ])('%s is of 2.9 or later: %s', (text, expected) => {
    expect(isAtLeastDtr(version(text), 2, 9)).toBe(expected);
  });
});
