/**
 * Consistency `snapshot`: each table in its turn through one changefeed, rows until it is ready and then its journal,
 * which goes on among the rows of the tables after it until all feeds are cut together.
 */
import type { NumberedEntries } from '../../archive/write/numbered-entries.js';
import type { ArchiveWriter } from '../../archive/write/writer.js';
import { Cleanup } from '../../base/cleanup.js';
import { abortable } from '../../base/deadline.js';
import type { DocumentEncoding, ManifestTable } from '../../model/manifest.js';
import { qualifiedName, type CatalogTable } from '../../model/table.js';
import type { FeedElements } from '../../rethink/feed-elements.js';
import type { RethinkSession } from '../../rethink/session.js';
import { TableFeed, type FeedOptions } from '../../rethink/table-feed.js';
import { tableRules } from '../table-rules.js';
import { FeedLag } from './feed-lag.js';
import type { RateLimiter } from './rate-limiter.js';
import type { BackupProgress } from '../progress.js';
import { settle, type FollowedTable, type SettlingOptions } from './settling.js';
import type { JobContext } from '../job-context.js';

export interface SnapshotOptions extends FeedOptions, SettlingOptions {
  readonly documentEncoding: DocumentEncoding;
}

/** One table on its way into the archive. */
interface Journal extends FollowedTable {
  readonly documents: NumberedEntries;
  readonly changes: NumberedEntries;
  readonly readyAt: Date;
}

/**
 * Gives what the manifest says of the tables. Throws a JobError with exit code 11 as soon as one of the feeds is not
 * whole any more, whatever the output does.
 */
export async function writeSnapshot(
  writer: ArchiveWriter,
  session: RethinkSession,
  tables: readonly CatalogTable[],
  options: SnapshotOptions,
  progress: BackupProgress,
  rateLimiter: RateLimiter,
  context: JobContext,
): Promise<ManifestTable[]> {
  await using feeds = new Cleanup();
  const failed = new AbortController();
  const cut = new AbortController();
  const journals: Journal[] = [];
  const drains: Promise<void>[] = [];
  const work = async (): Promise<ManifestTable[]> => {
    for (const table of tables) {
      progress.begin(table);
      const feed = feeds.use(await TableFeed.open(session, table, options, context.log));
      failed.signal.throwIfAborted();
      const journal = await readRows(writer, table, feed, options, progress, rateLimiter, context);
      journals.push(journal);
      progress.end(table, journal.documents.added);
      drains.push(drain(journal, cut.signal).catch((error: unknown) => failed.abort(error)));
    }
    const restless = await settle(journals, options, context);
    const cutAt = context.clock.now();
    cut.abort();
    await feeds[Symbol.asyncDispose]();
    await Promise.all(drains);
    failed.signal.throwIfAborted();
    logChanges(journals, context);
    return journals.map((journal) => manifestTable(journal, cutAt, restless.has(journal)));
  };
  return await abortable(work(), failed.signal);
}

/** Lays the rows, and what changes meanwhile, until the feed says that there are no more. */
async function readRows(
  writer: ArchiveWriter,
  table: CatalogTable,
  feed: TableFeed,
  { documentEncoding }: SnapshotOptions,
  progress: BackupProgress,
  rateLimiter: RateLimiter,
  { clock }: JobContext,
): Promise<Journal> {
  const rules = tableRules(table, { documentEncoding, isOrdered: false });
  const documents = await writer.table(table.name, rules);
  const changes = writer.changes(table.name, rules);
  for (let isReady = false; !isReady;) {
    const elements = await feed.next();
    const before = documents.added;
    await lay(elements, { documents, changes });
    // Changes are not held back: the server keeps only so many of them.
    await rateLimiter.pay(before, documents.added);
    progress.advance(table, documents.added);
    isReady = elements.isReady;
  }
  return { table, feed, documents, changes, lag: new FeedLag(clock), readyAt: clock.now() };
}

/** Lays the journal until the cut, which closes the feed; what is on its way then is not in it. */
async function drain(journal: Journal, cut: AbortSignal): Promise<void> {
  const { feed, lag } = journal;
  for (;;) {
    lag.wait();
    const elements = await feed.next().catch((error: unknown) => {
      if (!cut.aborted) throw error;
    });
    if (elements === undefined || cut.aborted) return;
    lag.take(elements.parts);
    await lay(elements, journal);
  }
}

async function lay({ parts }: FeedElements, entries: Pick<Journal, 'documents' | 'changes'>): Promise<void> {
  for (const { kind, lines } of parts) await entries[kind].add(lines);
}

function logChanges(journals: readonly Journal[], { log }: JobContext): void {
  for (const { table, changes } of journals) {
    const { count } = changes.added;
    if (count > 0) log.info(`Followed ${qualifiedName(table)}: ${count.toLocaleString('en-US')} changes`);
  }
}

function manifestTable(journal: Journal, cutAt: Date, isCutInChanges: boolean): ManifestTable {
  const { table, documents, changes, readyAt } = journal;
  const { estimatedDocumentCount, id, ...definition } = table;
  return {
    ...definition,
    readyAt: readyAt.toISOString(),
    cutAt: cutAt.toISOString(),
    ...(isCutInChanges && { isCutInChanges }),
    documents: documents.finish(),
    changes: changes.finish(),
  };
}
