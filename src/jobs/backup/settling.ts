/**
 * When the feeds of a snapshot are cut. RethinkDB sends the changes of different documents some milliseconds out of order:
 * a cut between changes may have a later one without an earlier one, a cut in a pause has them all.
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
  /** With `snapshot`, asked for by name, a cut without a pause is an error. */
  readonly consistency?: Consistency | undefined;
}

/** A table whose documents have all been read. */
export interface FollowedTable {
  readonly table: CatalogTable;
  readonly feed: TableFeed;
  readonly lag: FeedLag;
}

/** Limits in settle times: of the wait for a full pause, for a short one, and for a feed that is behind. */
const maxFullPauseWait = 3;
const maxPauseWait = 10;
const maxLagWait = 600;

/**
 * Waits until all feeds have been quiet for the settle time; later for `minPauseMs`; in the end for no pause at all,
 * unless a snapshot was asked for. Every feed has then answered and has delivered all changes from before the call.
 * Gives the tables that did not pause. Throws a JobError with exit code 11.
 */
export async function settle<Table extends FollowedTable>(
  tables: readonly Table[],
  { settleMs, consistency }: SettlingOptions,
  { clock, log, signal }: JobContext,
): Promise<ReadonlySet<Table>> {
  const shortPauseMs = Math.min(settleMs, minPauseMs);
  const startMs = clock.monotonicMs();
  for (const { lag } of tables) lag.restart();
  for (;;) {
    await pause(shortPauseMs / 5, signal);
    const settleTimes = (clock.monotonicMs() - startMs) / settleMs;
    const pauseMs = settleTimes > maxFullPauseWait ? shortPauseMs : settleMs;
    const needsPause = settleTimes <= maxPauseWait;
    if (needsPause && busyTables(tables, pauseMs).size > 0) continue;
    const behind = tables.find(({ lag }) => lag.quietMs < pauseMs && !lag.hasCaughtUp);
    if (behind !== undefined && settleTimes <= maxLagWait) continue;
    if (behind !== undefined) {
      const message = `the changes of ${qualifiedName(behind.table)} come faster than they can be written`;
      throw new JobError(ExitCode.consistency, message);
    }
    // The server answers after everything that the feeds had sent, so a change may have come meanwhile.
    await Promise.all(tables.map(({ feed }) => feed.assertAlive()));
    const busy = busyTables(tables, pauseMs);
    if (busy.size === 0) return busy;
    if (needsPause) continue;
    const what = `the changes of ${[...busy].map(({ table }) => qualifiedName(table)).join(', ')} never paused`;
    if (consistency === 'snapshot') {
      throw new JobError(ExitCode.consistency, `${what}, and --consistency snapshot was asked for`);
    }
    log.warn(`Cut although ${what}: changes of the last milliseconds may be missing (FORMAT.md, Consistency)`);
    return busy;
  }
}

function busyTables<Table extends FollowedTable>(tables: readonly Table[], pauseMs: number): ReadonlySet<Table> {
  return new Set(tables.filter(({ lag }) => lag.quietMs < pauseMs));
}
