/**
 * Which archives stay: the meanings of `restic forget` (0.14), applied to the archives of each replica, metadata and
 * images apart. Dates are in UTC, where restic takes local time. restic 0.16 and later keep the oldest as well where a
 * keep is not used up; this does not.
 */
import { nameOfArchive, type ListedArchive } from './archive-list.js';

/** How many to keep of each. */
export interface Keeps {
  readonly last?: number | undefined;
  /** The newest of each of the last so many days that have any. */
  readonly daily?: number | undefined;
  /** The same of ISO weeks, from Monday on. */
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
}

/** What becomes of an archive. One that stays has a reason at least. */
export interface Decision {
  readonly archive: ListedArchive;
  readonly goes: boolean;
  readonly reasons: readonly string[];
}

/** Clocks differ; beyond this, one of them is wrong. */
const maxAheadMs = 24 * 60 * 60 * 1000;

/** The part of a date that all archives of one bucket share; `index` counts from the newest. */
const buckets: Readonly<Record<keyof Keeps, (date: Date, index: number) => string>> = {
  last: (_date, index) => String(index + 1),
  daily: (date) => date.toISOString().slice(0, -'Thh:mm:ss.sssZ'.length),
  weekly: isoWeek,
  monthly: (date) => date.toISOString().slice(0, -'-ddThh:mm:ss.sssZ'.length),
};

/**
 * Decides on archives in the order of `listArchives`, and keeps the order. What is not complete, names no replica or is
 * dated more than a day after `now` never goes and never takes the place of another.
 */
export function decide(archives: readonly ListedArchive[], keeps: Keeps, now: Date): readonly Decision[] {
  const reasons = new Map<ListedArchive, string[]>();
  const groups = new Map<string, ListedArchive[]>();
  for (const archive of archives) {
    const { replicaId, kind } = archive.summary;
    const whyNot = whyNotCounted(archive, now);
    reasons.set(archive, whyNot === undefined ? [] : [whyNot]);
    if (whyNot !== undefined || archive.state.kind === 'leftover') continue;
    const key = `${kind} ${replicaId ?? ''}`;
    const group = groups.get(key) ?? [];
    group.push(archive);
    groups.set(key, group);
  }
  for (const group of groups.values()) {
    for (const [archive, reason] of keptOf(group, keeps)) reasons.get(archive)?.push(reason);
  }
  const stays = (archive: ListedArchive): boolean => reasons.get(archive)?.length !== 0;
  for (const [archive, reason] of neededBy(archives, stays)) reasons.get(archive)?.push(reason);
  return archives.map((archive) => {
    if (archive.state.kind === 'leftover')
      return { archive, goes: true, reasons: ['an earlier prune has removed its archive'] };
    return { archive, goes: !stays(archive), reasons: reasons.get(archive) ?? [] };
  });
}

function whyNotCounted({ state, summary }: ListedArchive, now: Date): string | undefined {
  if (state.kind === 'damaged') return `damaged: ${state.fault}`;
  if (state.kind === 'leftover') return undefined;
  if (summary.replicaId === undefined) return 'names no replica';
  return Date.parse(summary.startedAt) > now.getTime() + maxAheadMs ? 'dated in the future' : undefined;
}

/** `group` is what counts of one replica and kind, the newest first. */
function* keptOf(group: readonly ListedArchive[], keeps: Keeps): Generator<[ListedArchive, string]> {
  const [newest] = group;
  if (newest !== undefined) yield [newest, 'the newest'];
  const newestInFull = group.find(({ summary }) => !summary.isShort);
  if (newestInFull !== undefined && newestInFull !== newest) yield [newestInFull, 'the newest that is not short'];
  for (const name of ['last', 'daily', 'weekly', 'monthly'] as const) {
    let left = keeps[name] ?? 0;
    let before: string | undefined;
    for (const [index, archive] of group.entries()) {
      if (left === 0) break;
      const bucket = buckets[name](new Date(archive.summary.startedAt), index);
      if (bucket === before) continue;
      before = bucket;
      left -= 1;
      yield [archive, `${name} ${bucket}`];
    }
  }
}

/** What would go and must not: an image archive that one which stays was made `--since`, directly or through others. */
function* neededBy(
  archives: readonly ListedArchive[],
  stays: (archive: ListedArchive) => boolean,
): Generator<[ListedArchive, string]> {
  const going = new Map<string, ListedArchive[]>();
  for (const archive of archives) {
    const { summary, state } = archive;
    if (stays(archive) || state.kind === 'leftover' || summary.kind !== 'images' || summary.checksum === undefined)
      continue;
    const same = going.get(summary.checksum) ?? [];
    same.push(archive);
    going.set(summary.checksum, same);
  }
  // Grows while it is read.
  const staying = archives.filter(stays);
  for (const { path, summary } of staying) {
    for (const checksum of (summary.kind === 'images' ? summary.since : undefined) ?? []) {
      for (const needed of going.get(checksum) ?? []) {
        yield [needed, `needed by ${nameOfArchive(path)}`];
        staying.push(needed);
      }
      going.delete(checksum);
    }
  }
}

/** `2026-W48`: weeks begin on Monday, and belong to the year that has their Thursday. */
function isoWeek(date: Date): string {
  const thursday = new Date(date);
  thursday.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const year = thursday.toISOString().slice(0, -'-mm-ddThh:mm:ss.sssZ'.length);
  const newYear = new Date(thursday);
  newYear.setUTCMonth(0, 1);
  const weeksBefore = Math.floor((thursday.getTime() - newYear.getTime()) / (7 * 24 * 60 * 60 * 1000));
  return `${year}-W${String(weeksBefore + 1).padStart(2, '0')}`;
}
