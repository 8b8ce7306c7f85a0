/** Doing something while containers are stopped, and starting them again whatever comes of it. */
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { retry } from '../base/retry.js';
import type { DockerApi } from './docker-api.js';
import { UcpFailure } from './failures.js';
import type { ReplicaContainer } from './replica.js';
import { retryTransient } from './retry-transient.js';
import type { UcpContext } from './session.js';
import { startCommand } from './writing-containers.js';

export interface StopOptions {
  /** In the order to stop them; they are started in reverse. */
  readonly containers: readonly ReplicaContainer[];
  /** How long stopping one may be tried again. */
  readonly stopWindowMs: number;
  /** How long starting all of them may take. */
  readonly startWindowMs: number;
}

/** How long Docker lets a container end by itself: less than the 30 s we wait for an answer. */
const graceSeconds = 20;

/**
 * Stops the containers, does `work`, and starts them again: also when either fails, and after the signal has aborted.
 * `work` may begin the start itself, as soon as it no longer needs them stopped. Resolves when all run again.
 *
 * A failure is that of stopping (a JobError, exit code 3 to 5, or the signal's reason) or of `work`; what does not start
 * is an error in the log then. Where only the start fails: a JobError with exit code 12. That is why this is no
 * AsyncDisposable: one would not know which of the two it is.
 */
export async function whileStopped(
  docker: DockerApi,
  options: StopOptions,
  work: (startAgain: () => void) => Promise<void>,
  context: UcpContext,
): Promise<void> {
  const stopped = new StoppedContainers(docker, options, context);
  try {
    await stopped.stop();
    await work(() => void stopped.startAgain());
  } catch (error) {
    const complaint = await stopped.startAgain();
    if (complaint !== undefined) context.log.error(complaint);
    throw error;
  }
  const complaint = await stopped.startAgain();
  if (complaint !== undefined) throw new JobError(ExitCode.replicaDown, `the backup is good, but ${complaint}`);
}

class StoppedContainers {
  readonly #docker: DockerApi;
  readonly #options: StopOptions;
  readonly #context: UcpContext;
  /** Stopped, or perhaps so. */
  readonly #stopped: ReplicaContainer[] = [];
  /** Asked to stop, but the answer that it has is missing. */
  #stopping: ReplicaContainer | undefined;
  #starting: Promise<string | undefined> | undefined;
  /** What the last look at it showed, where that came after it was started: it outlasts a try that is cut short. */
  readonly #seen = new Map<ReplicaContainer, string>();

  constructor(docker: DockerApi, options: StopOptions, context: UcpContext) {
    this.#docker = docker;
    this.#options = options;
    this.#context = context;
  }

  async stop(): Promise<void> {
    const { containers, stopWindowMs } = this.#options;
    const { signal, log } = this.#context;
    if (containers.length === 0) return;
    log.warn(
      `Stopping ${containers.length} containers; if this job cannot start them again: ${startCommand(containers)}`,
    );
    for (const container of containers) {
      signal.throwIfAborted();
      this.#stopped.push(container);
      this.#stopping = container;
      try {
        await retryTransient(() => this.#waitForState(container, signal), { windowMs: stopWindowMs, signal, log });
      } catch (error) {
        throw error instanceof UcpFailure && error.status !== undefined && error.exitCode === ExitCode.ucpUnreachable
          ? new JobError(ExitCode.replica, `cannot stop ${container.name}: ${error.message}`, { cause: error })
          : error;
      }
      log.info(`Stopped ${container.name}`);
    }
  }

  /** Begins the start once. Never rejects: gives what does not run and how to start it, or undefined where all run. */
  startAgain(): Promise<string | undefined> {
    this.#starting ??= this.#startAll();
    return this.#starting;
  }

  async #startAll(): Promise<string | undefined> {
    if (this.#stopped.length === 0) return undefined;
    const { startWindowMs } = this.#options;
    const { log } = this.#context;
    const warning = this.#context.signal.aborted ? '; a second signal would leave them stopped' : '';
    log.info(`Starting ${this.#stopped.length} containers again${warning}`);
    const down = new Map<ReplicaContainer, string>(
      this.#stopped.toReversed().map((container) => [container, 'no answer']),
    );
    // Not the job's own signal: that may have aborted.
    const signal = AbortSignal.timeout(startWindowMs);
    try {
      await retry(() => this.#startThose(down, signal), {
        deadlineMs: startWindowMs,
        signal,
        isTransient: () => true,
        onRetry: (error) => log.warn(`${down.size} containers do not run yet: ${errorText(error)}; trying again`),
      });
      return undefined;
    } catch {
      const reasons = [...down].map(([{ name }, reason]) => `${name} (${reason})`).join(', ');
      const command = startCommand(this.#stopped.filter((container) => down.has(container)));
      return `not every container runs again after ${startWindowMs / 1000} s: ${reasons}; start by hand: ${command}`;
    }
  }

  /** One try: takes those that run out of `down`, and throws where some are left. */
  async #startThose(down: Map<ReplicaContainer, string>, signal: AbortSignal): Promise<void> {
    // One that is still stopping keeps no other waiting: somebody may be about to kill this job.
    const isStopping = (container: ReplicaContainer): boolean => container === this.#stopping;
    const order = [...down.keys()].sort((one, other) => Number(isStopping(one)) - Number(isStopping(other)));
    const asked = new Set<ReplicaContainer>();
    for (const container of order) {
      try {
        if (isStopping(container)) await this.#waitForState(container, signal);
        await this.#docker.startContainer(container.id, signal);
        asked.add(container);
        down.set(container, this.#seen.get(container) ?? 'not seen running');
      } catch (error) {
        if (signal.aborted) throw error;
        down.set(container, errorText(error));
        // One container must not keep the others down; but where nobody answers, nobody answers for them either.
        if (!(error instanceof UcpFailure) || error.status === undefined) throw error;
      }
    }
    const states = new Map((await this.#docker.listContainers(signal)).map(({ id, state }) => [id, state]));
    for (const container of down.keys()) {
      const state = states.get(container.id) ?? 'gone';
      // One that kept restarting before need not do better now.
      if (state === 'running' || state === container.state) {
        down.delete(container);
        this.#context.log.info(`Started ${container.name}`);
      } else if (asked.has(container)) {
        this.#seen.set(container, `started, but it is ${state}`);
        down.set(container, `started, but it is ${state}`);
      }
    }
    for (const [{ name }, reason] of down) throw new Error(`${name}: ${reason}`);
  }

  /**
   * Resolves when it has stopped. Docker goes on stopping for a caller who has gone, and meanwhile takes an order to
   * start for done: whoever has not seen the answer asks again, and is answered when it has stopped.
   */
  async #waitForState(container: ReplicaContainer, signal: AbortSignal): Promise<void> {
    await this.#docker.stopContainer(container.id, graceSeconds, signal);
    this.#stopping = undefined;
  }
}
