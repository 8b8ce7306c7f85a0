/** Does some work while containers are stopped, and starts them again whatever comes of it. */
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { retry } from '../base/retry.js';
import type { DockerApi } from './docker-api.js';
import { isFailedCall, minPauseMs, retryTransient, UcpError } from './errors.js';
import type { ReplicaContainer } from './replica-containers.js';
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

/** How long Docker waits before it kills a container; we wait for the answer longer than that. */
const graceSeconds = 20;

/** Docker and UCP, and how long to wait for what. */
interface StopContext extends StopOptions, UcpContext {
  readonly docker: DockerApi;
}

/**
 * Stops the containers, does `work`, and starts them again: also when either fails, and after the signal has aborted.
 * `work` may begin the start itself, as soon as it no longer needs them stopped. Resolves when all run again.
 *
 * Throws what stopping (a JobError, exit code 3 to 5, or the signal's reason) or `work` throws; containers that do not
 * start are an error in the log then. Where only the start fails: a JobError with exit code 12. An AsyncDisposable could
 * not tell these two apart.
 */
export async function whileStopped(
  docker: DockerApi,
  options: StopOptions & { readonly work: (startAgain: () => void) => Promise<void> },
  context: UcpContext,
): Promise<void> {
  const stopped = new StoppedContainers({ docker, ...options, ...context });
  try {
    await stopped.stop();
    await options.work(() => void stopped.startAgain());
  } catch (error) {
    const fault = await stopped.startAgain();
    if (fault !== undefined) context.log.error(fault);
    throw error;
  }
  const fault = await stopped.startAgain();
  if (fault !== undefined) throw new JobError(ExitCode.replicaDown, `the backup is good, but ${fault}`);
}

class StoppedContainers {
  readonly #context: StopContext;
  /** Stopped, or perhaps so. */
  readonly #stopped: ReplicaContainer[] = [];
  /** Asked to stop, without an answer yet. */
  #stopping: ReplicaContainer | undefined;
  #starting: Promise<string | undefined> | undefined;

  constructor(context: StopContext) {
    this.#context = context;
  }

  async stop(): Promise<void> {
    const { containers, stopWindowMs: windowMs, signal, log } = this.#context;
    if (containers.length === 0) return;
    const command = startCommand(containers);
    log.warn(`Stopping ${countOf(containers)}; if this job cannot start them again: ${command}`);
    for (const container of containers) {
      signal.throwIfAborted();
      this.#stopped.push(container);
      this.#stopping = container;
      try {
        await retryTransient(() => this.#awaitStopped(container, signal), { windowMs, signal, log });
      } catch (error) {
        if (!isFailedCall(error)) throw error;
        throw new JobError(ExitCode.replica, `cannot stop ${container.name}: ${error.message}`, { cause: error });
      }
      log.info(`Stopped ${container.name}`);
    }
  }

  /** Begins the start once. Never rejects: resolves with what does not run and how to start it, or undefined where all run. */
  startAgain(): Promise<string | undefined> {
    this.#starting ??= this.#startAll();
    return this.#starting;
  }

  async #startAll(): Promise<string | undefined> {
    if (this.#stopped.length === 0) return undefined;
    const { startWindowMs: deadlineMs, log } = this.#context;
    const warning = this.#context.signal.aborted ? '; a second signal would leave them stopped' : '';
    log.info(`Starting ${countOf(this.#stopped)} again${warning}`);
    const down = new Map(this.#stopped.toReversed().map((container) => [container, 'not seen running']));
    // Not the job's own signal: that may have aborted.
    const signal = AbortSignal.timeout(deadlineMs);
    try {
      await retry(() => this.#startThose(down, signal), {
        deadlineMs,
        signal,
        isTransient: () => true,
        minPauseMs,
        onRetry: (error) => {
          const verb = down.size === 1 ? 'does' : 'do';
          log.warn(`${countOf([...down])} ${verb} not run yet: ${errorText(error)}; trying again`);
        },
      });
      return undefined;
    } catch {
      const reasons = [...down].map(([{ name }, reason]) => `${name} (${reason})`).join(', ');
      const command = startCommand(this.#stopped.filter((container) => down.has(container)));
      return `not every container runs again after ${deadlineMs / 1000} s: ${reasons}; start by hand: ${command}`;
    }
  }

  /** One attempt: removes those that run from `down`, and throws where some are left. */
  async #startThose(down: Map<ReplicaContainer, string>, signal: AbortSignal): Promise<void> {
    const { docker, log } = this.#context;
    // One that is still stopping comes last, so that no other waits for it: this job may be about to be killed.
    const isStopping = (container: ReplicaContainer): boolean => container === this.#stopping;
    const order = [...down.keys()].sort((one, other) => Number(isStopping(one)) - Number(isStopping(other)));
    const started = new Set<ReplicaContainer>();
    let retryAfterMs = 0;
    for (const container of order) {
      try {
        if (isStopping(container)) await this.#awaitStopped(container, signal);
        await docker.startContainer(container.id, signal);
        started.add(container);
      } catch (error) {
        if (signal.aborted) throw error;
        down.set(container, errorText(error));
        retryAfterMs = Math.max(retryAfterMs, minPauseMs(error));
        // One container must not keep the others down; but where UCP does not answer, it does not for them either.
        if (!(error instanceof UcpError) || error.status === undefined) throw error;
      }
    }
    const states = new Map((await docker.listContainers(signal)).map(({ id, state }) => [id, state]));
    for (const container of order) {
      const state = states.get(container.id) ?? 'gone';
      // One that kept restarting before need not do better now.
      if (state === 'running' || state === container.state) {
        down.delete(container);
        log.info(`Started ${container.name}`);
      } else if (started.has(container)) down.set(container, `started, but it is ${state}`);
    }
    for (const [{ name }, reason] of down) throw new UcpError(`${name}: ${reason}`, { retryAfterMs });
  }

  /**
   * Docker continues to stop a container after a lost answer, and meanwhile answers a start as already done. So a stop is
   * repeated until it is answered, which is when the container has stopped.
   */
  async #awaitStopped(container: ReplicaContainer, signal: AbortSignal): Promise<void> {
    await this.#context.docker.stopContainer(container.id, graceSeconds, signal);
    this.#stopping = undefined;
  }
}

function countOf({ length }: readonly unknown[]): string {
  return `${length} container${length === 1 ? '' : 's'}`;
}
