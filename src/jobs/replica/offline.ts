/** `--offline-backup`: the replica's containers that write stand still while its tables are read. RethinkDB stays up. */
import type { Plan } from '../../model/manifest.js';
import { whileStopped } from '../../ucp/while-stopped.js';
import { findWritingContainers, type WritingContainers } from '../../ucp/writing-containers.js';
import type { Replica } from './replica.js';
import type { JobContext } from '../job-context.js';

export interface OfflineOptions {
  readonly mode: Plan['mode'];
  /** How long UCP may be away while containers are stopped. */
  readonly stopWindowMs: number;
  /** How long the containers may take to run again. */
  readonly startWindowMs: number;
}

/** Says which containers an offline backup stops, and what may write in spite of it. */
export function logOfflinePlan({ ucp }: Replica, { mode }: OfflineOptions, { log }: JobContext): void {
  if (mode === 'online' || ucp === undefined) return;
  const { active, inactive, unknown } = findWritingContainers(ucp.replica);
  const names = (containers: WritingContainers['active']): string => containers.map(({ name }) => name).join(', ');
  log.info(`Plan: stop, in this order, and start again in reverse: ${names(active) || 'nothing'}`);
  if (inactive.length > 0) log.info(`Plan: leave alone what does not run: ${names(inactive)}`);
  if (unknown.length > 0) log.warn(`Left running, as it is not known whether they write: ${names(unknown)}`);
  for (const other of ucp.replica.others) {
    if (findWritingContainers(other).active.length === 0) continue;
    log.warn(`Replica ${other.id} of the same cluster is running: what it writes goes on during this backup`);
  }
}

/**
 * Does `work`, offline or not as the mode says; `work` calls what it is given as soon as the last table has been read,
 * and the containers start while the archive is being finished. Throws what `work` throws, or a JobError with exit code
 * 3 to 5 where a container cannot be stopped, 12 where `work` is done and one does not run again.
 */
export async function whileOffline(
  { ucp }: Replica,
  options: OfflineOptions,
  work: (onLastTableRead: () => void) => Promise<void>,
  context: JobContext,
): Promise<void> {
  if (options.mode === 'online') return work(() => undefined);
  if (ucp === undefined) throw new TypeError('an offline backup needs UCP');
  const containers = findWritingContainers(ucp.replica).active;
  await whileStopped(ucp.docker, { ...options, containers, work }, context);
}
