/** Runs the prune job on a directory, with what a test makes happen meanwhile. */
import { createRecordedLog } from '../recorded-log.js';
import { silentContext } from '../archive/sample.js';
import { prune, type PruneOptions, type PruneOutcome } from '#src/jobs/places/prune.js';
import type { Keeps } from '#src/jobs/places/keep-policy.js';
import type { SamplePlace } from './archive-place.js';
import { directoryStore, type DirectoryStore, type StoreCall } from './directory-store.js';

export interface PruneRun {
  readonly keeps?: Keeps;
  readonly dryRun?: boolean;
  readonly breaksLock?: boolean;
  readonly show?: PruneOptions['show'];
  readonly before?: (call: StoreCall) => unknown;
  readonly signal?: AbortSignal;
  readonly now?: Date;
}

export interface Pruned {
  readonly outcome: PruneOutcome;
  readonly store: DirectoryStore;
  readonly log: readonly string[];
  /** The names of the files that were removed, the lock apart. */
  readonly removed: readonly string[];
}

export async function pruneSample({ directory }: SamplePlace, run: PruneRun = {}): Promise<Pruned> {
  const { keeps = { last: 1 }, dryRun = false, breaksLock = false, now = new Date('2026-11-26T12:00:00Z') } = run;
  const { signal = silentContext.signal, show = () => Promise.resolve(), before = () => undefined } = run;
  const log = createRecordedLog();
  const clock = { ...silentContext.clock, now: () => now };
  const store = directoryStore({ before });
  const outcome = await prune(
    { store, directory },
    { keeps, dryRun, breaksLock, show },
    { ...silentContext, log, clock, signal },
  );
  const removed = outcome.removals.flatMap((removal) => removal.removed).map((path) => path.slice(directory.length));
  return { outcome, store, log: log.lines, removed };
}
