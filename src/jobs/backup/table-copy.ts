/** Copies the rows of a table into an archive: the loop of a scan and of a snapshot. */
import type { ArchiveWriter, TableEntries } from '../../archive/write/writer.js';
import type { FeedPart } from '../../rethink/feed-elements.js';
import type { RethinkSession } from '../../rethink/session.js';
import type { JobContext } from '../job-context.js';
import type { BackupProgress } from '../progress.js';
import type { BackupTable } from './backup-plan.js';
import type { RateLimiter } from './rate-limiter.js';

/** What the tables of one backup are read with and written to. */
export interface TableCopyContext {
  readonly session: RethinkSession;
  readonly writer: ArchiveWriter;
  readonly progress: BackupProgress;
  readonly rateLimiter: RateLimiter;
  readonly context: JobContext;
}

/** Writes what `batches` give, and resolves with the table's entries when they have ended. */
export async function copyTable(
  table: BackupTable,
  batches: AsyncIterable<readonly FeedPart[]>,
  { writer, progress, rateLimiter }: TableCopyContext,
): Promise<TableEntries> {
  const entries = await writer.table(table.planned);
  for await (const parts of batches) {
    const before = entries.documents.added;
    await addParts(parts, entries);
    // Changes are not held back: the server keeps only so many of them.
    await rateLimiter.wait(before, entries.documents.added);
    progress.advance(table, entries.documents.added);
  }
  progress.end(table, entries.documents.added);
  return entries;
}

/** Documents and changes, in the order given. */
export async function addParts(parts: readonly FeedPart[], entries: TableEntries): Promise<void> {
  for (const { kind, lines } of parts) await entries[kind].add(lines);
}
