import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readmeWithTables } from '../../scripts/readme-tables.js';

test("the README's tables are those of the code (npm run docs writes them)", () => {
  const readme = readFileSync('README.md', 'utf8');
  expect(readmeWithTables(readme)).toBe(readme);
});
