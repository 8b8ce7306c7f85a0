/** What restic 0.14.0 answered: which of `resticDates`, by their positions, `restic forget` keeps. */
import type { Keeps } from '#src/jobs/places/keep-policy.js';

const startMs = Date.parse('2021-01-04T00:30:00Z');
const hoursBefore = [
  ...[0, 1, 2, 5, 23, 24, 25, 26, 47, 48, 72, 73, 96, 120, 144, 168, 169, 192, 336, 337],
  ...Array.from({ length: 20 }, (_, index) => 400 + index * 53),
  ...Array.from({ length: 20 }, (_, index) => 1500 + index * 461),
];

/** Sixty, the newest first: several a day, a day apart, weeks apart, around the ends of years, weeks and months. */
export const resticDates = hoursBefore.map((hours) => new Date(startMs - hours * 60 * 60 * 1000).toISOString());

export const resticAnswers: readonly (readonly [keeps: Keeps, kept: string])[] = [
  [{ last: 1 }, '0'],
  [{ last: 3 }, '0 1 2'],
  [{ last: 8 }, '0 1 2 3 4 5 6 7'],
  [
    { last: 100 },
    '0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59',
  ],
  [{ daily: 1 }, '0'],
  [{ daily: 3 }, '0 1 6'],
  [{ daily: 8 }, '0 1 6 10 11 13 14 15'],
  [
    { daily: 100 },
    '0 1 6 10 11 13 14 15 16 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59',
  ],
  [{ weekly: 1 }, '0'],
  [{ weekly: 3 }, '0 1 16'],
  [{ weekly: 8 }, '0 1 16 19 22 26 29 32'],
  [{ weekly: 100 }, '0 1 16 19 22 26 29 32 35 38 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59'],
  [{ monthly: 1 }, '0'],
  [{ monthly: 3 }, '0 11 28'],
  [{ monthly: 8 }, '0 11 28 41 42 44 45 47'],
  [{ monthly: 100 }, '0 11 28 41 42 44 45 47 49 50 52 53 55 56 58'],
  [{ last: 1, daily: 7, weekly: 4, monthly: 12 }, '0 1 6 10 11 13 14 16 19 28 41 42 44 45 47 49 50 52 53'],
  [{ daily: 2, weekly: 2 }, '0 1'],
  [{ weekly: 3, monthly: 3 }, '0 1 11 16 28'],
  [{ last: 5, monthly: 2 }, '0 1 2 3 4 11'],
  [
    { daily: 30, monthly: 6 },
    '0 1 6 10 11 13 14 15 16 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 41 42 44',
  ],
  [{ last: 2, daily: 2, weekly: 2, monthly: 2 }, '0 1 11'],
];
