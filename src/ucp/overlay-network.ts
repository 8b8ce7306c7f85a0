/** Joins the overlay network of DTR with our own container, and leaves it again whatever happened in between. */
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { retry } from '../base/retry.js';
import type { DockerApi } from './docker-api.js';
import type { InspectedContainer, Network } from './docker-schemas.js';
import { isFailedCall, retryTransient } from './errors.js';
import type { UcpContext } from './session.js';

export interface JoinOptions {
  /** Our own, see `findOwnContainerId`; undefined where we run in none. */
  readonly containerId: string | undefined;
  /** `dtr-ol` when left out. */
  readonly network?: string;
  /** How long UCP may take to know a container that has just been started; 30 s when left out. */
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
 * session's signal has aborted, within its own time limit, and with a warning instead of an error. Throws a JobError with
 * exit code 6 where the network or our container cannot be found or joined, what the Docker API throws, or the signal's
 * reason; nothing stays joined then.
 */
export async function joinOverlayNetwork(
  docker: DockerApi,
  options: JoinOptions,
  context: UcpContext,
): Promise<AsyncDisposable> {
  const { network: networkName = 'dtr-ol', containerId, joinWindowMs = 30_000, leaveWindowMs = 20_000 } = options;
  if (containerId === undefined) throw joinError(`this process does not run in a container: ${advice}`);
  const network = await findNetwork(docker, networkName);
  const own = await awaitOwnContainer(docker, { visibleWithinMs: 30_000, ...options, containerId }, context);
  const member = {
    docker,
    network,
    id: own.id,
    name: `overlay network ${network.name} with container ${short(own.id)}`,
  };
  if (isOn(network, own)) {
    context.log.info(`Already on ${member.name}`);
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  try {
    await join(member, joinWindowMs, context);
  } catch (error) {
    // The answer may have been lost, so whether we are on the network has to be asked.
    await leave(member, leaveWindowMs, context);
    throw isFailedCall(error) ? joinError(`cannot join ${member.name}: ${error.message}`, error) : error;
  }
  context.log.info(`Joined ${member.name}`);
  return { [Symbol.asyncDispose]: () => leave(member, leaveWindowMs, context) };
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

/** UCP has not seen our container yet. */
class ContainerUnknownError extends JobError {}

function awaitOwnContainer(
  docker: DockerApi,
  { containerId: id, visibleWithinMs }: { readonly containerId: string; readonly visibleWithinMs: number },
  { log, signal }: UcpContext,
): Promise<InspectedContainer> {
  const attempt = async (): Promise<InspectedContainer> => {
    const own = await docker.inspectContainer(id);
    if (own === undefined) {
      const message = `UCP does not know our own container ${short(id)}: ${advice}`;
      throw new ContainerUnknownError(ExitCode.overlayNetwork, message);
    }
    // A container may have the beginning of our id as its name, and a name takes precedence.
    if (own.id.startsWith(id)) return own;
    throw joinError(`UCP shows another container for our id ${id}: ${own.name}; ${advice}`);
  };
  return retry(attempt, {
    deadlineMs: visibleWithinMs,
    maxPauseMs: 2000,
    signal,
    isTransient: (error) => error instanceof ContainerUnknownError,
    onRetry: () => log.debug(`UCP does not know container ${short(id)} yet`),
  });
}

/** Our container in the network. */
interface Member {
  readonly docker: DockerApi;
  readonly network: Network;
  /** Of the container. */
  readonly id: string;
  /** For messages. */
  readonly name: string;
}

/** Checks first: the answer to an earlier attempt may have been lost. */
async function join(member: Member, windowMs: number, { signal, log }: UcpContext): Promise<void> {
  const attempt = async (): Promise<void> => {
    if (!(await isJoined(member, signal))) await member.docker.connectNetwork(member.network.name, member.id);
  };
  await retryTransient(attempt, { windowMs, signal, log });
}

/** Throws nothing: a failure is a warning. */
async function leave(member: Member, windowMs: number, { log }: UcpContext): Promise<void> {
  const { docker, network, id, name } = member;
  const signal = AbortSignal.timeout(windowMs);
  let attempts = 0;
  const attempt = async (): Promise<void> => {
    if (!(await isJoined(member, signal))) return;
    attempts += 1;
    await docker.disconnectNetwork(network.name, id, signal);
  };
  try {
    await retryTransient(attempt, { windowMs, signal, log });
    if (attempts > 0) log.info(`Left ${name}`);
    else log.debug(`Not on ${name}: nothing to leave`);
  } catch (error) {
    const remedy = `it ends with the container, or by hand: docker network disconnect ${network.name} ${short(id)}`;
    log.warn(`Could not leave ${name}: ${errorText(error)}; ${remedy}`);
  }
}

async function isJoined({ docker, network, id }: Member, signal: AbortSignal): Promise<boolean> {
  const own = await docker.inspectContainer(id, signal);
  return own !== undefined && isOn(network, own);
}

function isOn(network: Network, { networks }: InspectedContainer): boolean {
  // A node may have a network of its own with the same name.
  return networks.some(({ name, id = '' }) => (id === '' ? name === network.name : id === network.id));
}

function joinError(message: string, cause?: unknown): JobError {
  return new JobError(ExitCode.overlayNetwork, message, { cause });
}

function short(id: string): string {
  return id.slice(0, 12);
}
