/** When a run starts, by a clock that may be wrong: every file of an archive has this time in its header. */
import { latestSeconds } from '../archive/tar/ustar.js';
import { UsageError } from '../base/errors.js';
import type { JobContext } from './job-context.js';

/** Throws a UsageError (exit code 2) where the clock shows a time that no tar header tells: before 1970, or after 2242. */
export function startOfRun({ clock }: Pick<JobContext, 'clock'>): Date {
  const now = clock.now();
  const seconds = Math.floor(now.getTime() / 1000);
  if (seconds >= 0 && seconds <= latestSeconds) return now;
  const range = `1970 to ${new Date(latestSeconds * 1000).getUTCFullYear()}`;
  throw new UsageError([
    `the clock of this machine says ${now.toISOString()}: an archive takes ${range}; set the clock`,
  ]);
}
