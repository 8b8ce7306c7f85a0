// The pages of the documentation: links that lead somewhere, tables that match the code, a README that stays short.
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exitCodeMeanings } from '#src/base/exit-codes.js';
import { commands } from '#src/cli/commands.js';
import { settingsPage, withTables } from '../../scripts/docs-tables.js';
import { parseMarkdown } from '../support/markdown.js';
import { withRun } from '../support/run-row.js';

const maxReadmeWords = 1000;

const read = (path: string): string => readFileSync(path, 'utf8');
const pagesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(directory, name));
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...['docs', 'src', 'test'].flatMap(pagesIn)];

/** The relative links of a page that lead to no file, or to no heading of it. */
function deadLinks(page: string, text: string): string[] {
  const { links } = parseMarkdown(text);
  return links.filter((link) => {
    if (/^(?:https?|mailto):/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), decodeURIComponent(path));
    if (!existsSync(target)) return true;
    if (anchor === undefined) return false;
    if (!statSync(target).isFile()) return true;
    return !parseMarkdown(target === page ? text : read(target)).anchors.has(anchor);
  });
}

describe('links', () => {
  test.each(pages)('%s has no dead relative link or anchor', (page) => {
    expect(deadLinks(page, read(page))).toEqual([]);
  });

  test('a link to a missing file, a missing anchor and an anchor of a directory are dead; code is not searched', () => {
    const text = [
      '## Two `words`, here',
      '## Same\n\n## Same',
      '[a](#two-words-here) [b](#same-1) [c](#same-2) [d](docs/settings.md#exit-codes) [e](docs/settings.md#no-such)',
      '[f](no-such.md) [g](docs) [h](docs#x) [`i`](no-such.sh) [j](https://example.com/#x)',
      'a span `broken\nover [k](lines)` of code\n\n```\n[l](fenced)\n```',
    ].join('\n\n');
    expect(deadLinks('README.md', text)).toEqual([
      '#same-2',
      'docs/settings.md#no-such',
      'no-such.md',
      'docs#x',
      'no-such.sh',
    ]);
  });

  test('the README links to every page of docs/', () => {
    const { links } = parseMarkdown(read('README.md'));
    const linked = links.map((link) => link.replace(/#.*/, ''));
    expect(pagesIn('docs').filter((page) => !linked.includes(page))).toEqual([]);
  });
});

describe('what follows from the code', () => {
  test('the tables of settings and exit codes are current (npm run docs writes them)', () => {
    expect(withTables(read(settingsPage))).toBe(read(settingsPage));
  });

  test('the README has a row for every command', () => {
    const rows = [...read('README.md').matchAll(/^\| `(\w+)/gm)].map(([, name]) => name);
    expect(rows).toEqual(commands.map(({ name }) => name));
  });

  test('docs/troubleshooting.md has a section for every exit code', () => {
    const sections = [...read('docs/troubleshooting.md').matchAll(/^## (\d+)/gm)].map(([, code]) => Number(code));
    expect(sections).toEqual(exitCodeMeanings.map(([code]) => code));
  });
});

test('a test run takes the place of the row of an earlier one with the same tools', () => {
  const page =
    '| with |\n| --- |\n| B 1 | 1 | 2 | 3 | 2026-01-01 |\n| A 1 | 1 | 2 | 3 | 2026-01-01 |\n\n<!-- end of test runs -->\n';
  const again = withRun(page, { passed: 4, failed: 5, skipped: 6 }, 'B 1', new Date('2026-02-03T04:05:06Z'));
  expect(again).toBe(
    '| with |\n| --- |\n| A 1 | 1 | 2 | 3 | 2026-01-01 |\n| B 1 | 4 | 5 | 6 | 2026-02-03 |\n\n<!-- end of test runs -->\n',
  );
  expect(() => withRun('no table', { passed: 0, failed: 0, skipped: 0 }, 'A 1', new Date())).toThrow('has no line');
});

test(`the README has at most ${maxReadmeWords} words`, () => {
  expect(read('README.md').trim().split(/\s+/).length).toBeLessThanOrEqual(maxReadmeWords);
});
