/** Joins the overlay network of DTR with our own container, and leaves it again whatever happened in between. */
import { delayedSignal } from '../base/deadline.js';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { retry } from '../base/retry.js';
import type { DockerApi } from './docker-api.js';
import type { InspectedContainer, Network } from './docker-schemas.js';
import { isFailedCall, minPauseMs, retryText, UcpError } from './errors.js';
import type { UcpContext } from './session.js';

interface JoinOptions {
  /** Our own, see `findOwnContainerId`; undefined where we run in none. */
  readonly containerId: string | undefined;
  readonly network: string;
  /** How long to try: UCP does not know a new container at once, and answers may be lost. 30 s when left out. */
  readonly joinWindowMs?: number;
  /** How long to wait, after an abort, for the answer to joining; 4 s when left out: `docker stop` gives ten in all. */
  readonly answerWindowMs?: number;
  /** How long leaving may take; 20 s when left out. */
  readonly leaveWindowMs?: number;
}

const advice =
  'run it on a node of the cluster or with a UCP client bundle, start it with --network dtr-ol, or give --rethinkdb-addr';

const attachAdvice =
  'the network must be attachable and the user an administrator of UCP; or start the job with --network dtr-ol, or give --rethinkdb-addr';

/**
 * Resolves when our container is on the network. Disposing leaves it again, unless it was there before: also after the
 * session's signal has aborted, within its own time limit, and with a warning instead of an error. Throws a JobError with
 * exit code 6 where the network or our container cannot be found or joined, what the Docker API throws, or the signal's
 * reason; nothing stays joined then. An abort does not cut off the call that joins: the engine would carry it out after
 * we have found ourselves not joined.
 */
export async function joinOverlayNetwork(
  docker: DockerApi,
  options: JoinOptions,
  context: UcpContext,
): Promise<AsyncDisposable> {
  const { containerId: id, network: networkName, joinWindowMs = 30_000, leaveWindowMs = 20_000 } = options;
  const { log, signal } = context;
  if (id === undefined) throw joinError(`this process does not run in a container: ${advice}`);
  const network = await findNetwork(docker, networkName);
  const what = `overlay network ${network.name} with container ${short(id)}`;
  let hasTried = false as boolean;
  let isUnanswered = false as boolean;
  const leave = async (): Promise<void> => {
    if (hasTried) await leaveNetwork(docker, { network, id, what, windowMs: leaveWindowMs, isUnanswered }, context);
  };
  // Checks first: an earlier attempt may have joined, though its answer was lost.
  const attempt = async (): Promise<void> => {
    const own = await docker.inspectContainer(id);
    if (own === undefined) throw new UnknownContainerError(id);
    // A container may have the beginning of our id as its name, and a name takes precedence.
    if (!own.id.startsWith(id)) {
      throw joinError(`UCP shows another container for our id ${id}: ${own.name}; ${advice}`);
    }
    if (isOn(network, own) === true) return;
    signal.throwIfAborted();
    hasTried = true;
    isUnanswered = true;
    using patience = delayedSignal(signal, options.answerWindowMs ?? 4000, () =>
      log.info(`Waiting for the answer to joining ${network.name}, so as to leave it again`),
    );
    try {
      await docker.connectNetwork(network.name, own.id, patience.signal);
      isUnanswered = false;
    } catch (error) {
      isUnanswered = !(error instanceof UcpError) || error.status === undefined;
      throw error;
    }
  };
  try {
    await retry(attempt, {
      deadlineMs: joinWindowMs,
      maxPauseMs: 2000,
      signal,
      isTransient: (error) => error instanceof UcpError && error.isTransient,
      ...retrying(log),
    });
  } catch (error) {
    isUnanswered &&= signal.aborted;
    await leave();
    throw isFailedCall(error) ? joinError(`cannot join ${what}: ${error.message}; ${attachAdvice}`, error) : error;
  }
  log.info(hasTried ? `Joined ${what}` : `Already on ${what}`);
  return { [Symbol.asyncDispose]: leave };
}

/** UCP does not know our container, perhaps only yet. */
class UnknownContainerError extends UcpError {
  constructor(id: string) {
    const message = `UCP does not know our own container ${short(id)}: ${advice}`;
    super(message, { exitCode: ExitCode.overlayNetwork, isTransient: true });
  }
}

/** Docker allows several networks of one name. */
async function findNetwork(docker: DockerApi, name: string): Promise<Network> {
  const named = (await docker.listNetworks()).filter((network) => network.name === name);
  const [network, ...others] = new Map(named.map((one) => [one.id, one])).values();
  if (network === undefined) throw joinError(`UCP knows no network ${name}: is DTR installed in this cluster?`);
  if (others.length === 0) return network;
  const ids = [network, ...others].map(({ id }) => short(id)).join(', ');
  throw joinError(`UCP knows several networks ${name} (${ids}), and which is DTR's is not known; remove the others`);
}

interface Leaving {
  readonly network: Network;
  /** Of the container. */
  readonly id: string;
  /** For messages. */
  readonly what: string;
  readonly windowMs: number;
  /** The call to join may yet be carried out. */
  readonly isUnanswered: boolean;
}

/** What is logged of an attempt that another follows, and the pause that UCP asks for. */
const retrying = (log: UcpContext['log']) => ({
  minPauseMs,
  onRetry: (error: unknown): void => {
    if (error instanceof UnknownContainerError) log.debug(error.message);
    else log.warn(retryText(error));
  },
});

/** Throws nothing: a failure is a warning. */
async function leaveNetwork(docker: DockerApi, leaving: Leaving, { log }: UcpContext): Promise<void> {
  const { network, id, what, windowMs, isUnanswered } = leaving;
  const signal = AbortSignal.timeout(windowMs);
  const byHand = `it leaves when the container ends, or by hand: docker network disconnect ${network.name} ${short(id)}`;
  const goneWith = `overlay network ${network.name} is left with it`;
  let hasTried = false as boolean;
  let unknownCount = 0;
  const attempt = async (): Promise<void> => {
    const own = await docker.inspectContainer(id, signal);
    if (own === undefined) {
      unknownCount += 1;
      // UCP keeps a list of its own, which may lack a container for a moment.
      if (unknownCount === 1) throw new UnknownContainerError(id);
      return;
    }
    if (isOn(network, own) === false) return;
    hasTried = true;
    await docker.disconnectNetwork(network.name, own.id, signal);
  };
  try {
    await retry(attempt, {
      deadlineMs: windowMs,
      signal,
      isTransient: (error) => error instanceof UcpError && (error.isTransient || error.status === 404),
      ...retrying(log),
    });
    if (unknownCount > 1) log.info(`UCP no longer knows container ${short(id)}, so ${goneWith}`);
    else if (hasTried) log.info(`Left ${what}`);
    else if (isUnanswered) log.warn(`No answer to joining ${what}: if it joins now, ${byHand}`);
    else log.debug(`Not on ${what}: nothing to leave`);
  } catch (error) {
    log.warn(`Could not leave ${what}: ${errorText(error)}; ${byHand}`);
  }
}

/** Undefined where UCP does not say. */
function isOn(network: Network, { networks }: InspectedContainer): boolean | undefined {
  // A node may have a network of its own with the same name.
  return networks?.some(({ name, id }) => (id === '' ? name === network.name : id === network.id));
}

function joinError(message: string, cause?: unknown): JobError {
  return new JobError(ExitCode.overlayNetwork, message, { cause });
}

function short(id: string): string {
  return id.slice(0, 12);
}
