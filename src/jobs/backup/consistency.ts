/** Which consistency a backup has: what was asked for, and what the server can. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Consistency } from '../../model/manifest.js';
import type { CatalogTable } from '../../model/table.js';
import { canFollow } from '../../rethink/table-feed.js';
import type { ReachedReplica } from '../replica/replica.js';
import type { SnapshotOptions } from './snapshot.js';
import type { JobContext } from '../job-context.js';

/**
 * Asks the server itself, of one table, whether it can. Every RethinkDB that is reached does: the options came with
 * 2.3, as did the handshake that the driver speaks (its release notes). Throws a JobError with exit code 11 when `snapshot` was asked
 * for and it cannot.
 */
export async function chooseConsistency(
  { session, rethinkdbVersion }: ReachedReplica,
  tables: readonly CatalogTable[],
  options: SnapshotOptions,
  { log }: JobContext,
): Promise<Consistency> {
  const [table] = tables;
  if (options.consistency === 'scan' || table === undefined) return 'scan';
  if (await canFollow(session, table, options)) return 'snapshot';
  const reason = `RethinkDB${rethinkdbVersion === undefined ? '' : ` ${rethinkdbVersion}`} cannot give rows and changes in one feed`;
  if (options.consistency === 'snapshot') {
    throw new JobError(ExitCode.consistency, `${reason}, and --consistency snapshot was asked for`);
  }
  log.warn(`${reason}: falling back to --consistency scan, which may miss what changes meanwhile`);
  return 'scan';
}
