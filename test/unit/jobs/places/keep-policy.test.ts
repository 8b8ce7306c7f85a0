// Which archives of a place stay.
import { describe, expect, test } from '@jest/globals';
import { decide, type Decision } from '#src/jobs/places/keep-policy.js';
import type { ListedArchive } from '#src/jobs/places/archive-list.js';
import { imageSummary, listed, metadataSummary, replicaB } from '../../../support/store/archive-place.js';

const now = new Date('2026-11-26T12:00:00Z');

function metadata(startedAt: string, altered: Parameters<typeof metadataSummary>[0] = {}): ListedArchive {
  return listed(metadataSummary({ name: `${startedAt}.tar`, startedAt, ...altered }));
}

function images(name: string, altered: Parameters<typeof imageSummary>[0]): ListedArchive {
  return listed(imageSummary({ name, ...altered }));
}

function sorted(archives: readonly ListedArchive[]): ListedArchive[] {
  return [...archives].sort((a, b) => Date.parse(b.summary.startedAt) - Date.parse(a.summary.startedAt));
}

function reasonsOf(decisions: readonly Decision[]): Record<string, string> {
  return Object.fromEntries(
    decisions.map(({ archive, goes, reasons }) => [archive.summary.name, goes ? 'goes' : reasons.join(', ')]),
  );
}

describe('what stays, and why', () => {
  test('the newest of the last days, weeks and months that have any, and the last ones', () => {
    const dates = ['2026-11-26T10:00:00Z', '2026-11-26T09:00:00Z', '2026-11-24T23:59:59Z', '2026-11-22T00:00:00Z'];
    const older = ['2026-10-31T10:00:00Z', '2026-10-30T10:00:00Z', '2021-01-01T10:00:00Z'];
    const keeps = { last: 2, daily: 2, weekly: 3, monthly: 3 };
    expect(
      reasonsOf(
        decide(
          [...dates, ...older].map((date) => metadata(date)),
          keeps,
          now,
        ),
      ),
    ).toEqual({
      '2026-11-26T10:00:00Z.tar': 'the newest, last 1, daily 2026-11-26, weekly 2026-W48, monthly 2026-11',
      '2026-11-26T09:00:00Z.tar': 'last 2',
      '2026-11-24T23:59:59Z.tar': 'daily 2026-11-24',
      '2026-11-22T00:00:00Z.tar': 'weekly 2026-W47',
      '2026-10-31T10:00:00Z.tar': 'weekly 2026-W44, monthly 2026-10',
      '2026-10-30T10:00:00Z.tar': 'goes',
      '2021-01-01T10:00:00Z.tar': 'monthly 2021-01',
    });
  });

  test.each([
    ['2021-01-03T00:00:00Z', '2020-W53'],
    ['2021-01-04T00:00:00Z', '2021-W01'],
    ['2024-12-30T00:00:00Z', '2025-W01'],
    ['2026-12-31T23:59:59Z', '2026-W53'],
    ['0000-01-01T00:00:00Z', '-000001-W52'],
  ])('%s is in week %s', (date, week) => {
    const later = new Date('2030-01-01T00:00:00Z');
    expect(decide([metadata(date)], { weekly: 1 }, later)[0]?.reasons).toContain(`weekly ${week}`);
  });

  test('each replica has its own, and so have metadata and images', () => {
    const archives = sorted([
      metadata('2026-11-26T10:00:00Z'),
      metadata('2026-11-25T10:00:00Z'),
      metadata('2026-11-24T10:00:00Z', { replicaId: replicaB }),
      images('a', { startedAt: '2026-11-20T10:00:00Z' }),
      images('b', { startedAt: '2026-11-19T10:00:00Z', replicaId: replicaB }),
    ]);
    const going = decide(archives, { last: 1 }, now).filter(({ goes }) => goes);
    expect(going.map(({ archive }) => archive.summary.name)).toEqual(['2026-11-25T10:00:00Z.tar']);
  });

  test('an image archive stays that one which stays was made since, also through a third', () => {
    const [full, first, second, unused] = ['1', '2', '3', '4'].map((digit) => digit.repeat(64)) as [
      string,
      string,
      string,
      string,
    ];
    const archives = [
      images('third', { startedAt: '2026-11-26T10:00:00Z', since: [second] }),
      images('second', { startedAt: '2026-11-25T10:00:00Z', checksum: second, since: [full, first] }),
      images('first', { startedAt: '2026-11-24T10:00:00Z', checksum: first, since: [full] }),
      images('unused', { startedAt: '2026-11-23T10:00:00Z', checksum: unused, since: [full] }),
      images('full', { startedAt: '2026-11-22T10:00:00Z', checksum: full }),
      images('older', { startedAt: '2026-11-21T10:00:00Z', checksum: 'f'.repeat(64) }),
    ];
    expect(reasonsOf(decide(archives, { last: 1 }, now))).toEqual({
      third: 'the newest, last 1',
      second: 'needed by third',
      first: 'needed by second',
      unused: 'goes',
      full: 'needed by second',
      older: 'goes',
    });
  });

  test('archives that need one another end no loop', () => {
    const [one, other] = ['1'.repeat(64), '2'.repeat(64)];
    const archives = [
      images('new', { startedAt: '2026-11-26T10:00:00Z', since: [one] }),
      images('b', { startedAt: '2026-11-25T10:00:00Z', checksum: one, since: [other, one] }),
      images('a', { startedAt: '2026-11-24T10:00:00Z', checksum: other, since: [one] }),
    ];
    expect(decide(archives, { last: 1 }, now).filter(({ goes }) => goes)).toEqual([]);
  });

  test('one of the future neither goes nor takes the place of another; a day ahead is no future', () => {
    const archives = ['2036-01-01T00:00:00Z', '2026-11-27T11:59:59Z', '2026-11-26T10:00:00Z'].map((date) =>
      metadata(date),
    );
    expect(reasonsOf(decide(archives, { last: 1 }, now))).toEqual({
      '2036-01-01T00:00:00Z.tar': 'dated in the future',
      '2026-11-27T11:59:59Z.tar': 'the newest, last 1',
      '2026-11-26T10:00:00Z.tar': 'goes',
    });
  });

  test('a short one does not take the place of the newest in full', () => {
    const archives = [
      images('short', { startedAt: '2026-11-26T10:00:00Z', isShort: true }),
      images('full', { startedAt: '2026-11-25T10:00:00Z' }),
      images('older', { startedAt: '2026-11-24T10:00:00Z' }),
    ];
    expect(reasonsOf(decide(archives, { last: 1 }, now))).toEqual({
      short: 'the newest, last 1',
      full: 'the newest that is not short',
      older: 'goes',
    });
  });

  test('a summary that a prune has left goes, and needs nothing', () => {
    const checksum = '1'.repeat(64);
    const leftover = listed(imageSummary({ name: 'gone', startedAt: '2026-11-26T11:00:00Z', since: [checksum] }), {
      kind: 'leftover',
    });
    const archives = [
      leftover,
      images('new', { startedAt: '2026-11-26T10:00:00Z' }),
      images('old', { startedAt: '2026-11-25T10:00:00Z', checksum }),
    ];
    expect(reasonsOf(decide(archives, { last: 1 }, now))).toEqual({
      gone: 'goes',
      new: 'the newest, last 1',
      old: 'goes',
    });
  });
});
