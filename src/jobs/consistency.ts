/** Which consistency a backup has: what was asked for, and what the server can. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Consistency } from '../model/manifest.js';
import type { CatalogTable } from '../model/table.js';
import { canFollow } from '../rethink/table-feed.js';
import type { Replica } from './replica.js';
import type { SnapshotOptions } from './snapshot.js';
import type { World } from './world.js';

/**
 * Asks the server itself, of one table, whether it can. Throws a JobError with exit code 11 when `snapshot` was asked
 * for and it cannot.
 */
export async function chooseConsistency(
  { session, rethinkdbVersion }: Replica,
  tables: readonly CatalogTable[],
  options: SnapshotOptions,
  { log }: World,
): Promise<Consistency> {
  const [table] = tables;
  if (options.consistency === 'scan' || table === undefined) return 'scan';
  if (!isTooOld(rethinkdbVersion) && (await canFollow(session, table, options))) return 'snapshot';
  const reason = `RethinkDB${rethinkdbVersion === undefined ? '' : ` ${rethinkdbVersion}`} cannot give rows and changes in one feed`;
  if (options.consistency === 'snapshot') {
    throw new JobError(ExitCode.consistency, `${reason}, and --consistency snapshot was asked for`);
  }
  log.warn(`${reason}: falling back to --consistency scan, which may miss what changes meanwhile`);
  return 'scan';
}

/** `includeTypes`, which a journal is made of, came with RethinkDB 2.3 (its release notes). */
function isTooOld(version: string | undefined): boolean {
  if (version === undefined) return false;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 2 || (major === 2 && minor < 3);
}
