/** What a job gets from outside: nothing in src/jobs uses the process, the clock or stdout itself. */
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import { latestSeconds } from '../archive/tar/ustar.js';
import { UsageError } from '../base/errors.js';

export interface JobContext {
  readonly log: Log;
  readonly clock: Clock;
  /** Aborts with the error to throw. */
  readonly signal: AbortSignal;
  /** This container's host name: by default the short id of the container. */
  readonly hostName: string;
  /** Where temporary files go. */
  readonly temporaryDirectory: string;
  /** Reads a text file of this container (its mounts, /proc); rejects when it cannot. */
  readonly readFile: (path: string) => Promise<string>;
}

/**
 * The start of this run: the modification time of every file of its archive. Throws a UsageError (exit code 2) for a time
 * that no tar header can hold: before 1970, or after 2242.
 */
export function startOfRun({ clock }: Pick<JobContext, 'clock'>): Date {
  const now = clock.now();
  const seconds = Math.floor(now.getTime() / 1000);
  if (seconds >= 0 && seconds <= latestSeconds) return now;
  const range = `1970 to ${new Date(latestSeconds * 1000).getUTCFullYear()}`;
  throw new UsageError([
    `the clock of this machine shows ${now.toISOString()}, and an archive can hold only ${range}: set the clock`,
  ]);
}
