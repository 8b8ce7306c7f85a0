/** What a job gets from outside: nothing in src/jobs reaches for the process, the clock or stdout by itself. */
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';

export interface JobContext {
  readonly log: Log;
  readonly clock: Clock;
  /** Aborts with the reason to throw: a JobError with exit code 130 or 143. */
  readonly signal: AbortSignal;
  /** This container's host name: by default the short id of the container. */
  readonly hostName: string;
  /** Where temporary files go. */
  readonly temporaryDirectory: string;
  /** Reads a text file of this container (its mounts, /proc); rejects where it cannot. */
  readonly readFile: (path: string) => Promise<string>;
}
