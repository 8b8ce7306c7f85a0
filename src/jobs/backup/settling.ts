/**
 * When the feeds of a snapshot may be cut. RethinkDB gives the changes of different documents some milliseconds out of
 * order, so a cut in the midst of changes may have a later one and not an earlier; a cut in a pause has them all.
 */
import { pause } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { minPauseMs } from '../../model/change.js';
import type { Consistency } from '../../model/manifest.js';
import { qualifiedName, type CatalogTable } from '../../model/table.js';
import type { TableFeed } from '../../rethink/table-feed.js';
import type { FeedLag } from './feed-lag.js';
import type { JobContext } from '../job-context.js';

export interface SettlingOptions {
  /** How long all feeds should have been quiet. */
  readonly settleMs: number;
  /** `snapshot`: asked for by name, so that nothing less will do. */
  readonly consistency?: Consistency | undefined;
}

/** All rows of it have been read. */
export interface FollowedTable {
  readonly table: CatalogTable;
  readonly feed: TableFeed;
  readonly lag: FeedLag;
}

/** In settle times: after how long a short pause will do, after how long none is needed, how long a feed may be behind. */
const settledUntil = 3;
const maxUnrest = 10;
const maxArrears = 600;

/**
 * Waits until all feeds have been quiet for the settle time; for a tenth of a second where that does not come; and no
 * longer where changes never pause, unless a snapshot was asked for. By then each has shown that it is alive and behind
 * in nothing that was before. Gives the tables that did not pause. Throws a JobError with exit code 11.
 */
export async function settle<Table extends FollowedTable>(
  tables: readonly Table[],
  { settleMs, consistency }: SettlingOptions,
  { clock, log, signal }: JobContext,
): Promise<ReadonlySet<Table>> {
  const startMs = clock.monotonicMs();
  for (const { lag } of tables) lag.restart();
  for (;;) {
    await pause(Math.min(settleMs, minPauseMs) / 5, signal);
    const settleTimes = (clock.monotonicMs() - startMs) / settleMs;
    const neededMs = settleTimes > settledUntil ? Math.min(settleMs, minPauseMs) : settleMs;
    const isUnrestLong = settleTimes > maxUnrest;
    if (restlessOf(tables, neededMs).size > 0 && !isUnrestLong) continue;
    const behind = tables.find(({ lag }) => lag.quietMs < neededMs && !lag.hasCaughtUp);
    if (behind !== undefined) {
      if (settleTimes > maxArrears) throw outrun(behind.table);
      continue;
    }
    // The answers come after whatever the feeds had sent, taken by then or not.
    await Promise.all(tables.map(({ feed }) => feed.assertAlive()));
    const restless = restlessOf(tables, neededMs);
    if (restless.size > 0 && !isUnrestLong) continue;
    if (restless.size > 0) {
      const unrest = `the changes of ${[...restless].map(({ table }) => qualifiedName(table)).join(', ')} never paused`;
      if (consistency === 'snapshot') throw refused(unrest);
      log.warn(`Cut although ${unrest}: of the last milliseconds some may be missing (FORMAT.md, Consistency)`);
    }
    return restless;
  }
}

function restlessOf<Table extends FollowedTable>(tables: readonly Table[], neededMs: number): ReadonlySet<Table> {
  return new Set(tables.filter(({ lag }) => lag.quietMs < neededMs));
}

function refused(unrest: string): JobError {
  return new JobError(ExitCode.consistency, `${unrest}, and --consistency snapshot was asked for`);
}

function outrun(table: CatalogTable): JobError {
  const message = `the changes of ${qualifiedName(table)} come faster than they can be written`;
  return new JobError(ExitCode.consistency, message);
}
