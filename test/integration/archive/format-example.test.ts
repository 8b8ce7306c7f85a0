/** The example of FORMAT.md is what GNU tar shows of an archive of ours. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { makeArchive, sampleRoot } from '../../support/archive/sample.js';

test('is an archive of one table with one document', async () => {
  const tables = [{ name: 'tags', primaryKey: 'pk', texts: ['{"name":"latest","pk":"a/b:latest"}'] }];
  const input = await makeArchive(tables);
  const tar = (...args: string[]): string =>
    execFileSync('tar', args, { input, encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
  const page = readFileSync('src/archive/FORMAT.md', 'utf8');
  const shown = [...page.matchAll(/(?:^ {4}.*\n)+/gm)].slice(0, 3).map(([block]) => block.replaceAll(/^ {4}/gm, ''));
  expect(shown).toEqual([tar('-tv'), tar('-xO', `${sampleRoot}/plan.json`), tar('-xO', `${sampleRoot}/manifest.json`)]);
});
