/** Joining the overlay network of DTR with our own container, and leaving it again whatever happened in between. */
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { retry } from '../base/retry.js';
import type { DockerApi } from './docker-api.js';
import type { InspectedContainer, Network } from './docker-shapes.js';
import { UcpFailure } from './failures.js';
import { retryTransient } from './retry-transient.js';
import type { UcpContext } from './session.js';

export interface JoinOptions {
  /** Our own, see `findOwnContainerId`; undefined where we run in none. */
  readonly containerId: string | undefined;
  /** `dtr-ol` when left out. */
  readonly network?: string;
  /** How long UCP may take to learn of a container that has just been started; 30 s when left out. */
  readonly visibleWithinMs?: number;
  /** How long joining may be tried again after lost answers; 30 s when left out. */
  readonly joinWindowMs?: number;
  /** How long leaving may take; 20 s when left out. */
  readonly leaveWindowMs?: number;
}

const advice =
  'run it on a node of the cluster or with a UCP client bundle, start it with --network dtr-ol, or give --rethinkdb-addr';

/**
 * Resolves when our container is on the network. Disposing leaves it again, unless it was there before: also after the
 * session's signal has aborted, within its own time limit, and with a warning in place of an error. Throws a JobError
 * with exit code 6 where the network or our container cannot be found or joined, what the Docker API throws, or the
 * signal's reason; nothing stays joined then.
 */
export async function joinOverlayNetwork(
  docker: DockerApi,
  options: JoinOptions,
  context: UcpContext,
): Promise<AsyncDisposable> {
  const { network: networkName = 'dtr-ol', containerId, leaveWindowMs = 20_000 } = options;
  if (containerId === undefined) throw unjoinable(`this process does not run in a container: ${advice}`);
  const network = await findNetwork(docker, networkName);
  const own = await awaitOwnContainer(docker, containerId, options, context);
  const what = `overlay network ${network.name} with container ${own.id.slice(0, 12)}`;
  if (isOn(network, own)) {
    context.log.info(`Already on ${what}`);
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const leave = (): Promise<void> => leaveNetwork(docker, network, own, leaveWindowMs, what, context);
  try {
    await connect(docker, network, own, options, context);
  } catch (error) {
    // The answer may have been lost on the way back, so whether we are on the network has to be asked.
    await leave();
    throw error instanceof UcpFailure && error.status !== undefined && error.exitCode === ExitCode.ucpUnreachable
      ? unjoinable(`cannot join ${what}: ${error.message}`, error)
      : error;
  }
  context.log.info(`Joined ${what}`);
  return { [Symbol.asyncDispose]: leave };
}

/** Docker allows several networks of one name. */
async function findNetwork(docker: DockerApi, name: string): Promise<Network> {
  const named = (await docker.listNetworks()).filter((network) => network.name === name);
  const [network, ...others] = new Map(named.map((one) => [one.id, one])).values();
  if (network === undefined) throw unjoinable(`UCP knows no network ${name}: is DTR installed in this cluster?`);
  if (others.length === 0) return network;
  const ids = [network, ...others].map(({ id }) => id.slice(0, 12)).join(', ');
  throw unjoinable(`UCP knows several networks ${name} (${ids}): which is DTR's cannot be told; remove the others`);
}

function awaitOwnContainer(
  docker: DockerApi,
  id: string,
  { visibleWithinMs = 30_000 }: JoinOptions,
  { log, signal }: UcpContext,
): Promise<InspectedContainer> {
  const invisible = unjoinable(`UCP does not know our own container ${id.slice(0, 12)}: ${advice}`);
  return retry(
    async () => {
      const own = await docker.inspectContainer(id);
      if (own === undefined) throw invisible;
      // A container may be called like the beginning of our id, and a name goes before it.
      if (!own.id.startsWith(id))
        throw unjoinable(`UCP shows another container for our id ${id}: ${own.name}; ${advice}`);
      return own;
    },
    {
      deadlineMs: visibleWithinMs,
      maxPauseMs: 2000,
      signal,
      isTransient: (error) => error === invisible,
      onRetry: () => log.debug(`UCP does not know container ${id.slice(0, 12)} yet`),
    },
  );
}

/** Idempotent by looking first: after a lost answer the container may be on the network already. */
function connect(
  docker: DockerApi,
  network: Network,
  own: InspectedContainer,
  { joinWindowMs = 30_000 }: JoinOptions,
  { log, signal }: UcpContext,
): Promise<void> {
  let isFirst = true;
  const attempt = async (): Promise<void> => {
    if (!isFirst && (await isStillOn(docker, network, own.id, signal))) return;
    isFirst = false;
    await docker.connectNetwork(network.name, own.id);
  };
  return retryTransient(attempt, { windowMs: joinWindowMs, signal, log });
}

async function leaveNetwork(
  docker: DockerApi,
  network: Network,
  own: InspectedContainer,
  windowMs: number,
  what: string,
  { log }: UcpContext,
): Promise<void> {
  const signal = AbortSignal.timeout(windowMs);
  let wasOn = false as boolean;
  try {
    const attempt = async (): Promise<void> => {
      if (!(await isStillOn(docker, network, own.id, signal))) return;
      wasOn = true;
      await docker.disconnectNetwork(network.name, own.id, signal);
    };
    await retryTransient(attempt, { windowMs, signal, log });
    if (wasOn) log.info(`Left ${what}`);
    else log.debug(`Not on ${what}: nothing to leave`);
  } catch (error) {
    const byHand = `docker network disconnect ${network.name} ${own.id.slice(0, 12)}`;
    log.warn(`Could not leave ${what}: ${errorText(error)}; it goes with the container, or by hand: ${byHand}`);
  }
}

async function isStillOn(docker: DockerApi, network: Network, id: string, signal: AbortSignal): Promise<boolean> {
  const own = await docker.inspectContainer(id, signal);
  return own !== undefined && isOn(network, own);
}

function isOn(network: Network, { networks }: InspectedContainer): boolean {
  // A node may have a network of its own with the same name.
  return networks.some(({ name, id = '' }) => (id === '' ? name === network.name : id === network.id));
}

function unjoinable(message: string, cause?: unknown): JobError {
  return new JobError(ExitCode.overlayNetwork, message, { cause });
}
