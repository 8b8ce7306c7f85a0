/** `--offline-backup`: stops the replica's containers that write while its tables are read. RethinkDB keeps running. */
import { UsageError } from '../../base/errors.js';
import type { Plan } from '../../model/manifest.js';
import { whileStopped } from '../../ucp/while-stopped.js';
import { findWritingContainers, type WritingContainers } from '../../ucp/writing-containers.js';
import type { ReachedReplica } from './replica.js';
import type { JobContext } from '../job-context.js';

export interface OfflineOptions {
  readonly mode: Plan['mode'];
  /** How long to retry when UCP cannot be reached while containers are stopped. */
  readonly stopWindowMs: number;
  /** How long the containers may take to run again. */
  readonly startWindowMs: number;
}

/** Says which containers an offline backup stops, and what may write in spite of it. */
export function logOfflinePlan({ ucp }: ReachedReplica, { mode }: OfflineOptions, { log }: JobContext): void {
  if (mode === 'online' || ucp === undefined) return;
  const { active, inactive, unknown } = findWritingContainers(ucp.replica);
  const names = (containers: WritingContainers['active']): string => containers.map(({ name }) => name).join(', ');
  log.info(`Plan: stop in this order, start again in reverse: ${names(active) || 'nothing'}`);
  if (inactive.length > 0) log.info(`Plan: leave stopped: ${names(inactive)}`);
  if (unknown.length > 0) log.warn(`Left running, since it is unknown whether they write: ${names(unknown)}`);
  for (const other of ucp.replica.others) {
    if (findWritingContainers(other).active.length === 0) continue;
    log.warn(`Replica ${other.id} of the same cluster is running: it keeps writing during this backup`);
  }
}

/**
 * Does `work`, with the containers stopped in offline mode. `work` calls its argument as soon as the last table has been
 * read: the containers start again while the archive is being finished. Throws what `work` throws, or a JobError: exit
 * code 3 to 5 where a container cannot be stopped, 12 where `work` is done and a container does not run again.
 */
export async function whileOffline(
  { ucp }: ReachedReplica,
  options: OfflineOptions & { readonly work: (onLastTableRead: () => void) => Promise<void> },
  context: JobContext,
): Promise<void> {
  const { mode, work } = options;
  if (mode === 'online') return work(() => undefined);
  if (ucp === undefined) throw new UsageError(['--offline-backup needs UCP (--ucp-url)']);
  const containers = findWritingContainers(ucp.replica).active;
  await whileStopped(ucp.docker, { ...options, containers, work }, context);
}
