/** What every failed run must show: one line that says why, the exit code, and nothing that looks like a whole archive. */
import { expect } from '@jest/globals';
import { looksFinished } from './archive-check.js';
import type { Ended } from './command.js';

/** The one line that says why a run failed. */
export function fatalLines({ stderr }: Pick<Ended, 'stderr'>): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('FATA'));
}

export function expectFailure(ended: Ended, exitCode: number, message: string | RegExp): void {
  expect(fatalLines(ended)).toEqual([expect.stringMatching(message)]);
  expect(ended.exitCode).toBe(exitCode);
  expect(looksFinished(ended.stdout)).toBe(false);
}
