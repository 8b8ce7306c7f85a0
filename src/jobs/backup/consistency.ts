/** Which consistency a backup has: what was asked for, and what the server can do. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Consistency } from '../../model/manifest.js';
import type { CatalogTable } from '../../model/table.js';
import { canFollow } from '../../rethink/table-feed.js';
import type { ReachedReplica } from '../replica/replica.js';
import type { SnapshotOptions } from './snapshot.js';
import type { JobContext } from '../job-context.js';

/**
 * Tries one table on the server. Every RethinkDB that can be reached should be able to: the feed's options came with 2.3,
 * as did the driver's handshake (its release notes). Throws a JobError with exit code 11 when `snapshot` was asked for
 * and the server cannot.
 */
export async function chooseConsistency(
  { session, rethinkdbVersion }: ReachedReplica,
  tables: readonly CatalogTable[],
  { options, log }: { readonly options: SnapshotOptions; readonly log: JobContext['log'] },
): Promise<Consistency> {
  const [table] = tables;
  if (options.consistency === 'scan' || table === undefined) return 'scan';
  if (await canFollow(session, table, options)) return 'snapshot';
  const server = rethinkdbVersion === undefined ? 'RethinkDB' : `RethinkDB ${rethinkdbVersion}`;
  const reason = `${server} cannot send documents and changes in one feed`;
  if (options.consistency === 'snapshot') {
    throw new JobError(ExitCode.consistency, `${reason}, and --consistency snapshot was asked for`);
  }
  log.warn(`${reason}: falling back to --consistency scan, which may miss changes made meanwhile`);
  return 'scan';
}
