/**
 * Consistency `snapshot`: each table in its turn is read through one changefeed, first its rows and then its journal, which
 * continues among the rows of later tables until all feeds are cut together.
 */
import type { TableEntries } from '../../archive/write/writer.js';
import { Cleanup } from '../../base/cleanup.js';
import { abortable } from '../../base/deadline.js';
import { formatCount } from '../../base/format.js';
import type { TableCut } from '../../model/manifest.js';
import { qualifiedName } from '../../model/table.js';
import type { FeedPart } from '../../rethink/feed-elements.js';
import { TableFeed, type FeedOptions } from '../../rethink/table-feed.js';
import type { JobContext } from '../job-context.js';
import type { BackupTable } from './backup-plan.js';
import { FeedLag } from './feed-lag.js';
import { settle, type FollowedTable, type SettlingOptions } from './settling.js';
import { addParts, copyTable, type TableCopyContext } from './table-copy.js';

export interface SnapshotOptions extends FeedOptions, SettlingOptions {}

/** A table whose rows have been read. */
interface Journal extends FollowedTable {
  readonly table: BackupTable;
  readonly entries: TableEntries;
  readonly readyAt: Date;
}

/**
 * Resolves when all feeds have been cut, with when that was, by the tables' directories. Throws a JobError with exit code
 * 11 as soon as one of the feeds has lost anything, whatever the output does.
 */
export async function writeSnapshot(
  tables: readonly BackupTable[],
  options: SnapshotOptions,
  copy: TableCopyContext,
): Promise<ReadonlyMap<string, TableCut>> {
  const { session, progress, context } = copy;
  await using feeds = new Cleanup();
  const failed = new AbortController();
  const cut = new AbortController();
  const journals: Journal[] = [];
  const drains: Promise<void>[] = [];
  const work = async (): Promise<ReadonlyMap<string, TableCut>> => {
    for (const table of tables) {
      progress.begin(table);
      const feed = feeds.use(await TableFeed.open(session, table, options));
      failed.signal.throwIfAborted();
      const entries = await copyTable(table, untilReady(feed), copy);
      const journal = { table, feed, entries, lag: new FeedLag(context.clock), readyAt: context.clock.now() };
      journals.push(journal);
      drains.push(drain(journal, cut.signal).catch((error: unknown) => failed.abort(error)));
    }
    const restless = await settle(journals, options, context);
    const cutAt = context.clock.now();
    cut.abort();
    await feeds[Symbol.asyncDispose]();
    await Promise.all(drains);
    failed.signal.throwIfAborted();
    logChanges(journals, context);
    return new Map(journals.map((journal) => [journal.table.planned.directory, cutOf(journal, cutAt, restless)]));
  };
  return await abortable(work(), failed.signal);
}

/** The rows, and what changes meanwhile, until the feed has given all rows. */
async function* untilReady(feed: TableFeed): AsyncGenerator<readonly FeedPart[], void, undefined> {
  for (;;) {
    const { parts, isReady } = await feed.next();
    yield parts;
    if (isReady) return;
  }
}

/** Writes the journal until the cut, which closes the feed; what is on its way then is not in it. */
async function drain({ feed, lag, entries }: Journal, cut: AbortSignal): Promise<void> {
  for (;;) {
    lag.wait();
    const elements = await feed.next().catch((error: unknown) => {
      if (!cut.aborted) throw error;
    });
    if (elements === undefined || cut.aborted) return;
    lag.take(elements.parts);
    await addParts(elements.parts, entries);
  }
}

function logChanges(journals: readonly Journal[], { log }: JobContext): void {
  for (const { table, entries } of journals) {
    const { count } = entries.changes.added;
    if (count > 0) log.info(`Followed ${qualifiedName(table)}: ${formatCount(count)} changes`);
  }
}

function cutOf(journal: Journal, cutAt: Date, restless: ReadonlySet<Journal>): TableCut {
  const times = { readyAt: journal.readyAt.toISOString(), cutAt: cutAt.toISOString() };
  return restless.has(journal) ? { ...times, isCutInChanges: true } : times;
}
