/** What watches a run from outside: a file of metrics, a monitor that is pinged. Neither changes what a run ends with. */
import type { Clock } from '../base/clock.js';
import { errorText } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { metricsFileFault, writeMetricsFile } from './metrics-file.js';
import { earlierRunOf, metricsText, type EarlierRun, type RunMetrics, type WrittenArchive } from './metrics.js';
import type { PingTarget } from './ping-request.js';
import { Pinger, type RunEnd } from './ping.js';

interface RunMonitorOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly tool: { readonly name: string; readonly version: string };
}

/** What a run is watched by, as its settings say. */
export interface MonitoredRun {
  readonly command: string;
  /** As far as the settings name it. */
  readonly replicaId: string | undefined;
  readonly metricsPath: string | undefined;
  readonly pingTarget: PingTarget | undefined;
}

/** Made where a run begins; does nothing until it is told of the settings. */
export class RunMonitor {
  readonly #options: RunMonitorOptions;
  readonly #startedAt: Date;
  readonly #startMs: number;
  #run: MonitoredRun | undefined;
  #pinger: Pinger | undefined;
  #archive: WrittenArchive | undefined;

  constructor(options: RunMonitorOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#startMs = options.clock.monotonicMs();
  }

  /** Sends the ping of the start. Resolves with what is wrong with the file of metrics, which is then left alone. */
  async started(run: MonitoredRun): Promise<string | undefined> {
    const { log, tool } = this.#options;
    const { metricsPath, pingTarget } = run;
    if (pingTarget !== undefined) {
      this.#pinger = new Pinger(pingTarget, { log, userAgent: `${tool.name}/${tool.version}` });
      this.#pinger.started();
    }
    const why = metricsPath === undefined ? undefined : await metricsFileFault(metricsPath);
    this.#run = why === undefined ? run : { ...run, metricsPath: undefined };
    return why === undefined ? undefined : `${metricsPath ?? ''} ${why}`;
  }

  /** Called when an archive has been written. */
  wrote(archive: WrittenArchive): void {
    this.#archive = archive;
  }

  /** Writes the metrics and sends the ping of the end: half a minute at most. Never rejects. */
  async ended(outcome: RunEnd): Promise<void> {
    await Promise.all([this.#writeMetrics(outcome), this.#pinger?.ended(outcome)]);
  }

  async #writeMetrics(outcome: RunEnd): Promise<void> {
    const { log, clock } = this.#options;
    const run = this.#run;
    if (run?.metricsPath === undefined) return;
    const ended = {
      startedAt: this.#startedAt,
      endedAt: clock.now(),
      durationSeconds: (clock.monotonicMs() - this.#startMs) / 1000,
    };
    try {
      await writeMetricsFile(run.metricsPath, (earlierText) => {
        const earlier = earlierText === undefined ? undefined : earlierRunOf(earlierText);
        return metricsText(metricsOf({ ...outcome, ...run, ...ended, archive: this.#archive }, earlier));
      });
    } catch (error) {
      log.warn(`The metrics cannot be written to ${run.metricsPath}: ${errorText(error)}`);
    }
  }
}

/** A run that failed knows its replica, and when one has succeeded, from the file of the run before. */
function metricsOf(run: Omit<RunMetrics, 'lastSuccessAt'>, earlier: EarlierRun | undefined): RunMetrics {
  const before = earlier?.command === run.command ? earlier : undefined;
  const replicaId = run.archive?.replicaId ?? run.replicaId ?? before?.replicaId;
  if (run.exitCode === ExitCode.done) return { ...run, replicaId, lastSuccessAt: run.endedAt };
  const isSame = before?.replicaId === replicaId;
  // A time to come would keep every alert silent until then.
  const isPast = before?.lastSuccessAt !== undefined && before.lastSuccessAt <= run.endedAt;
  return { ...run, replicaId, lastSuccessAt: isSame && isPast ? before.lastSuccessAt : undefined };
}
