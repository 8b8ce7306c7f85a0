/** The embedded server's disk: every writing query, one line each, run again when the server starts on the same file. */
import { appendFileSync, createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { reqlite, TermType, type Query, type Server } from './reqlite-module.js';

const writingTerms: ReadonlySet<unknown> = new Set([
  TermType.INSERT,
  TermType.UPDATE,
  TermType.REPLACE,
  TermType.DELETE,
  // `create it unless it is there`.
  TermType.BRANCH,
  TermType.FOR_EACH,
  TermType.DB_CREATE,
  TermType.DB_DROP,
  TermType.TABLE_CREATE,
  TermType.TABLE_DROP,
  TermType.INDEX_CREATE,
  TermType.INDEX_DROP,
  TermType.INDEX_RENAME,
]);

/** Keeps `text` when the query writes. It is on disk (or with the kernel) before the query runs: SIGKILL loses nothing. */
export function keepInJournal(file: string, message: Query['query'], text: string): void {
  const [, term] = message;
  if (Array.isArray(term) && writingTerms.has(term[0])) appendFileSync(file, `${text}\n`);
}

/** Runs the journal's queries in order. Keys that the server made up the first time come out different. */
export async function replayJournal(file: string, server: Server): Promise<void> {
  if (!existsSync(file)) return;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    // What failed the first time fails again, and its client has been told.
    await new reqlite.Query(server, JSON.parse(line), {}, 0).run().catch(() => undefined);
  }
}
