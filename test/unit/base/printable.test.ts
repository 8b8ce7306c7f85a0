import { describe, expect, test } from '@jest/globals';
import { printable, printableLines } from '#src/base/printable.js';

describe('text from outside', () => {
  test('has its control, format and line-breaking characters as JSON has them', () => {
    expect(printable('a\tb\u0085\u200b\u{e0001}\udc00 é 😀')).toBe('a\\u0009b\\u0085\\u200b\\udb40\\udc01\\udc00 é 😀');
  });

  test('is cut, and says so', () => {
    expect(printable('x'.repeat(201))).toBe(`${'x'.repeat(200)}… (201 characters)`);
  });

  test('keeps its lines where it has several, and is the same text where it is JSON', () => {
    const report = { name: 'a\u202eb\\\u001b', more: ['\u{e0001}'] };
    const text = printableLines(`${JSON.stringify(report, undefined, 2)}\n`);
    expect(text).not.toMatch(/[\p{Cf}\p{Cs}]/u);
    expect(text.split('\n')).toHaveLength(7);
    expect(JSON.parse(text)).toEqual(report);
  });
});
