// Which archives stay, for any archives and any keeps, and compared with restic.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide, type Keeps } from '#src/jobs/places/keep-policy.js';
import type { ListedArchive } from '#src/jobs/places/archive-list.js';
import { findRestic } from '../../../support/restic.js';
import { resticAnswers, resticDates } from '../../../support/restic-answers.js';
import { isFull, scaled } from '../../../support/scale.js';
import { imageSummary, listed, metadataSummary, replicaA, replicaB } from '../../../support/store/archive-place.js';

const now = new Date('2026-11-26T12:00:00Z');
const dayMs = 24 * 60 * 60 * 1000;

function sorted(archives: readonly ListedArchive[]): ListedArchive[] {
  return [...archives].sort((a, b) => Date.parse(b.summary.startedAt) - Date.parse(a.summary.startedAt));
}

const anyCount = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const anyKeeps: fc.Arbitrary<Keeps> = fc.record({
  last: anyCount,
  daily: anyCount,
  weekly: anyCount,
  monthly: anyCount,
});

const anyArchive = fc
  .record({
    hours: fc.integer({ min: -24 * 60, max: 24 * 400 }),
    replicaId: fc.constantFrom(replicaA, replicaB, undefined),
    isImages: fc.boolean(),
    isShort: fc.boolean(),
    state: fc.constantFrom('complete', 'complete', 'complete', 'damaged'),
    checksum: fc.integer({ min: 0, max: 9 }),
    since: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 2 }),
    name: fc.uuid(),
  })
  .map(({ hours, replicaId, isImages, isShort, state, checksum, since, name }) => {
    const { replicaId: _, ...unnamed } = isImages ? imageSummary() : metadataSummary();
    const startedAt = new Date(now.getTime() - hours * 60 * 60 * 1000).toISOString();
    const chain = isImages
      ? { checksum: String(checksum).repeat(64), since: since.map((digit) => String(digit).repeat(64)) }
      : {};
    const summary = { ...unnamed, ...chain, ...(replicaId !== undefined && { replicaId }), name, startedAt, isShort };
    return listed(summary, state === 'complete' ? { kind: 'complete' } : { kind: 'damaged', fault: 'x' });
  });
const anyArchives = fc.array(anyArchive, { maxLength: 60 }).map(sorted);

const runs = { numRuns: scaled(500, 20_000) };

function isCounted({ state, summary }: ListedArchive): boolean {
  const isFuture = Date.parse(summary.startedAt) > now.getTime() + dayMs;
  return state.kind === 'complete' && summary.replicaId !== undefined && !isFuture;
}

function goingOf(archives: readonly ListedArchive[], keeps: Keeps): Set<ListedArchive> {
  return new Set(decide(archives, keeps, now).flatMap(({ archive, goes }) => (goes ? [archive] : [])));
}

describe('for any archives and any keeps', () => {
  test('the newest complete one of a group stays, and whatever is not complete, of no replica or of the future', () => {
    fc.assert(
      fc.property(anyArchives, anyKeeps, (archives, keeps) => {
        const decisions = decide(archives, keeps, now);
        const seen = new Set<string>();
        for (const { archive, goes, reasons } of decisions) {
          const { kind, replicaId } = archive.summary;
          const isNewest = isCounted(archive) && !seen.has(`${kind}${replicaId ?? ''}`);
          if (isCounted(archive)) seen.add(`${kind}${replicaId ?? ''}`);
          if (isNewest || !isCounted(archive)) expect(goes).toBe(false);
          expect(reasons.length === 0).toBe(goes);
        }
        expect(decisions.map(({ archive }) => archive)).toEqual(archives);
      }),
      runs,
    );
  });

  test('what does not count changes nothing for what does, but for what it was made since', () => {
    fc.assert(
      fc.property(anyArchives, anyKeeps, (archives, keeps) => {
        const withoutChains = archives.filter(({ summary }) => summary.kind === 'metadata');
        expect(goingOf(withoutChains, keeps)).toEqual(goingOf(withoutChains.filter(isCounted), keeps));
      }),
      runs,
    );
  });

  test('nothing goes that one which stays was made since', () => {
    fc.assert(
      fc.property(anyArchives, anyKeeps, (archives, keeps) => {
        const going = goingOf(archives, keeps);
        const lost = new Set(
          [...going].map(({ summary }) => (summary.kind === 'images' ? summary.checksum : undefined)),
        );
        const needed = archives
          .filter((one) => !going.has(one))
          .flatMap(({ summary }) => (summary.kind === 'images' ? (summary.since ?? []) : []));
        expect(needed.filter((checksum) => lost.has(checksum))).toEqual([]);
      }),
      runs,
    );
  });

  test('more keeps never remove more', () => {
    fc.assert(
      fc.property(anyArchives, anyKeeps, anyKeeps, (archives, keeps, added) => {
        const names = ['last', 'daily', 'weekly', 'monthly'] as const;
        const more = Object.fromEntries(names.map((name) => [name, (keeps[name] ?? 0) + (added[name] ?? 0)]));
        const before = goingOf(archives, keeps);
        expect([...goingOf(archives, more)].filter((archive) => !before.has(archive))).toEqual([]);
      }),
      runs,
    );
  });
});

test.each(resticAnswers)('with %j those stay that restic forget kept', (keeps, kept) => {
  const decisions = decide(
    resticDates.map((date) => listed(metadataSummary({ startedAt: date }))),
    keeps,
    now,
  );
  const ours = [...decisions.keys()].filter((index) => decisions[index]?.goes === false);
  expect(ours.join(' ')).toBe(kept);
});

// A command of restic takes half a second, most of it for its key.
(isFull ? test : test.skip)('the same archives stay as with restic forget', () => {
  using restic = findRestic(resticDates);
  if (restic === undefined) return;
  const { keepsOldest, kept } = restic;
  const archives = resticDates.map((date) => listed(metadataSummary({ startedAt: date })));
  const check = (keeps: Keeps): void => {
    const staying = decide(archives, keeps, now).filter(({ goes }) => !goes);
    const ours = staying.map(({ archive }) => archive.summary.startedAt);
    const isCompared = (date: string): boolean => !keepsOldest || date !== resticDates.at(-1);
    expect({ keeps, kept: ours.filter(isCompared) }).toEqual({ keeps, kept: kept(keeps).filter(isCompared) });
  };
  for (const name of ['last', 'daily', 'weekly', 'monthly']) {
    for (const count of [1, 2, 7, 100]) check({ [name]: count });
  }
  const given = anyKeeps
    .map((keeps) => Object.fromEntries(Object.entries(keeps).filter(([, count]) => count !== undefined)))
    .filter((keeps) => Object.keys(keeps).length > 0);
  fc.assert(fc.property(given, check), { numRuns: 100 });
});
