/** The prune job: decides which archives of a place go, says so, and removes them one after the other. */
import { isDeepStrictEqual } from 'node:util';
import { mapConcurrently } from '../../base/concurrent-map.js';
import { abortable } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { summaryPathOf } from '../../model/summary.js';
import type { JobContext } from '../job-context.js';
import { concurrentReads, filesOf, listArchives, parseSummary } from './archive-list.js';
import type { ArchiveList, ArchivePlace, ListedArchive } from './archive-list.js';
import { faultOfArchive } from './archive-proof.js';
import { decide, type Decision, type Keeps } from './keep-policy.js';
import { PruneLock } from './prune-lock.js';

export interface PruneOptions {
  /** One at least. */
  readonly keeps: Keeps;
  /** Plans, and does nothing else. */
  readonly dryRun: boolean;
  readonly breaksLock: boolean;
  /** Shows the plan; nothing is removed before it resolves, nor when it rejects. */
  readonly show: (decisions: readonly Decision[]) => Promise<void>;
}

/** What became of an archive that was to go. */
export interface Removal {
  readonly archive: ListedArchive;
  /** The paths of the files that were removed. */
  readonly removed: readonly string[];
  /** Why it is not all gone; undefined where it is, also by another's hand. */
  readonly failure: string | undefined;
}

export interface PruneOutcome {
  readonly decisions: readonly Decision[];
  readonly removals: readonly Removal[];
  /** To be thrown after the report. */
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * The store must go on for some seconds after `context.signal` aborts: the removal in progress is finished, and the lock
 * released. Throws where there is no plan; what fails later is in the outcome.
 */
export async function prune(place: ArchivePlace, options: PruneOptions, context: JobContext): Promise<PruneOutcome> {
  if (options.dryRun) return pruneUnder(undefined, place, { ...options, context });
  const { hostName: owner, clock, log, signal } = context;
  signal.throwIfAborted();
  await using lock = await PruneLock.take(place, {
    ...{ owner, startedAt: clock.now(), log },
    isForced: options.breaksLock,
  });
  return await pruneUnder(lock, place, { ...options, context });
}

/** Without a lock, removes nothing. */
async function pruneUnder(
  lock: PruneLock | undefined,
  place: ArchivePlace,
  { keeps, show, context }: PruneOptions & { readonly context: JobContext },
): Promise<PruneOutcome> {
  const { signal, clock, log } = context;
  const listed = await abortable(listArchives(place, signal), signal);
  const proven = await abortable(proveArchives(listed, place, signal), signal);
  const decisions = decide(proven.archives, keeps, clock.now());
  await abortable(show(decisions), signal);
  const removals: Removal[] = [];
  const outcome = { decisions, removals };
  // The newest first: an image archive goes before those that it was made since.
  const going = decisions.filter(({ goes }) => goes && lock !== undefined);
  try {
    for (const { archive } of going) {
      signal.throwIfAborted();
      await lock?.assertHeld();
      const removal = await removeArchive(archive, place, clock.now());
      removals.push(removal);
      if (removal.failure === undefined) log.info(`Removed ${place.store.nameOf(archive.path)}`);
      else log.error(`${place.store.nameOf(archive.path)} is not removed: ${removal.failure}`);
    }
    signal.throwIfAborted();
  } catch (error) {
    return { ...outcome, failure: { error } };
  }
  const failed = removals.filter(({ failure }) => failure !== undefined).length;
  const message = `${failed} of ${going.length} archives that were to go could not be removed`;
  const [error] = failed > 0 ? [new JobError(ExitCode.output, message)] : proven.errors;
  return { ...outcome, failure: error && { error } };
}

/**
 * The list with the archives whose first bytes contradict their summaries as damaged: such a one must not take the place of
 * another. One that cannot be read counts as little, and is an error.
 */
async function proveArchives(
  { archives, others, errors }: ArchiveList,
  { store }: ArchivePlace,
  signal: AbortSignal,
): Promise<ArchiveList> {
  const unread: JobError[] = [];
  const proven = await mapConcurrently(archives, concurrentReads, async (archive): Promise<ListedArchive> => {
    if (archive.state.kind !== 'complete') return archive;
    signal.throwIfAborted();
    let fault: string | undefined;
    try {
      fault = await faultOfArchive(archive.path, archive.summary, store);
    } catch (error) {
      if (signal.aborted || !(error instanceof JobError)) throw error;
      unread.push(error);
      fault = error.message;
    }
    return fault === undefined ? archive : { ...archive, state: { kind: 'damaged', fault } };
  });
  return { archives: proven, others, errors: [...errors, ...unread] };
}

/**
 * Marks the summary, then removes the archive, then the summary. So a run that is killed in between leaves either a whole
 * archive, which the next prune decides on again; or a marked summary alone, which `list` shows as such and the next prune
 * removes. The other order would leave an archive without its summary, which no prune would ever know as ours. Throws only
 * what is no JobError.
 */
async function removeArchive(archive: ListedArchive, { store }: ArchivePlace, now: Date): Promise<Removal> {
  const removed: string[] = [];
  const { path, summary, state } = archive;
  const failed = (failure: string | undefined): Removal => ({ archive, removed, failure });
  try {
    const text = await store.readText(summaryPathOf(path));
    if (text === undefined) return failed(undefined);
    if (!isDeepStrictEqual(parseSummary(text), summary)) return failed('its summary has changed meanwhile');
    if (state.kind !== 'leftover') {
      const fault = await faultOfArchive(path, summary, store);
      if (fault !== undefined) return failed(fault);
      const marked = { ...summary, removalBegunAt: now.toISOString() };
      await store.writeText(summaryPathOf(path), `${JSON.stringify(marked, undefined, 2)}\n`, { replaces: true });
    }
    for (const file of filesOf(archive)) {
      await store.remove(file);
      removed.push(file);
    }
    return failed(undefined);
  } catch (error) {
    if (error instanceof JobError) return failed(error.message);
    throw error;
  }
}
