/** Finds a DTR replica among the containers of the cluster. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { parseReplicaId, type ReplicaId } from '../model/replica-access.js';
import type { DockerApi } from './docker-api.js';
import { hostDown, type ListedContainer } from './docker-schemas.js';
import { isFailedCall } from './errors.js';

export interface ReplicaContainer extends Omit<ListedContainer, 'names'> {
  /** `rethinkdb`, `nginx`, `notary-signer`, … */
  readonly role: string;
  /** Without the node: `dtr-<role>-<replica id>`. */
  readonly name: string;
  /** Absent where Docker itself answers rather than UCP. */
  readonly node: string | undefined;
}

interface ReplicaGroup {
  readonly id: ReplicaId;
  /** RethinkDB's among them, ordered by role; some may not run. */
  readonly containers: readonly ReplicaContainer[];
  /** Those with a name like its own and a role that DTR does not have: they are not used as signs of anything. */
  readonly unknown: readonly ReplicaContainer[];
}

/** `containers` are its own: at most one for each role of DTR, all on the node of its RethinkDB. */
export interface ReplicaContainers extends ReplicaGroup {
  /** It runs. */
  readonly rethinkdb: ReplicaContainer;
  /** Stopped ones with names of the replica's on other nodes, such as a node's that was replaced: not used. */
  readonly leftovers: readonly ReplicaContainer[];
  /** The other replicas of the cluster, of which nothing is read. */
  readonly others: readonly ReplicaGroup[];
}

/** The roles of a replica's own containers; DTR creates them all on one node. */
export const dtrRoles: readonly string[] = [
  'api',
  'garant',
  'jobrunner',
  'nginx',
  'notary-server',
  'notary-signer',
  'registry',
  'rethinkdb',
  'scanningstore',
];

/**
 * The replica with this id, or the only one of the cluster. Throws a JobError with exit code 5 where there is none, where
 * there are several to choose from, where its RethinkDB does not run or its node is down, or where it is not clear which
 * containers are its own: anyone who may run containers can give one the name of a replica's, on another node.
 */
export async function findReplica(docker: DockerApi, replicaId: ReplicaId | undefined): Promise<ReplicaContainers> {
  const replicas = groupByReplica(await docker.listContainers());
  const ids = replicas.map(({ id }) => id);
  const id = replicaId ?? onlyOne(ids);
  const replica = replicas.find((one) => one.id === id);
  if (replica === undefined) {
    const others = ids.length === 0 ? 'UCP shows none at all' : `UCP shows ${ids.join(', ')}`;
    throw replicaError(`DTR replica ${id} not found: ${others}; ${rightUserAdvice}`);
  }
  assertUnambiguous(replica);
  const rethinkdb = runningRethinkdb(replica);
  const isOwn = ({ node }: ReplicaContainer): boolean => node === rethinkdb.node;
  return {
    ...replica,
    containers: replica.containers.filter(isOwn),
    rethinkdb,
    leftovers: replica.containers.filter((one) => !isOwn(one)),
    others: replicas.filter((one) => one !== replica),
  };
}

const rightUserAdvice = 'is this the right UCP, and is the user an administrator?';

/**
 * What a call to the engine of the container's node gives. Throws a JobError with exit code 5 that names the node where
 * the call fails with 500, as classicswarm answers for a node that is down: that may be since the containers were listed.
 */
export async function onNodeOf<T>({ name, node }: ReplicaContainer, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isFailedCall(error) || error.status !== 500) throw error;
    const where = node === undefined ? '' : ` of node ${node}`;
    throw new JobError(ExitCode.replica, `the engine${where} cannot answer for ${name}: ${error.message}`, {
      cause: error,
    });
  }
}

function isRethinkdb({ role }: ReplicaContainer): boolean {
  return role === 'rethinkdb';
}

/** By id. A replica has a RethinkDB container; what remains of one that was removed does not count. */
function groupByReplica(listed: readonly ListedContainer[]): ReplicaGroup[] {
  const groups = new Map<ReplicaId, ReplicaContainer[]>();
  for (const { names, ...container } of listed) {
    for (const { node, role, replicaId } of ownNames(names)) {
      const group = groups.get(replicaId) ?? [];
      groups.set(replicaId, group);
      group.push({ ...container, role, name: `dtr-${role}-${replicaId}`, node });
    }
  }
  const isOwn = ({ role }: ReplicaContainer): boolean => dtrRoles.includes(role);
  return [...groups]
    .filter(([, all]) => all.some(isRethinkdb))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, unordered]) => {
      const all = unordered.toSorted((a, b) => a.role.localeCompare(b.role, 'en'));
      return { id, containers: all.filter(isOwn), unknown: all.filter((one) => !isOwn(one)) };
    });
}

/**
 * The names a container has itself. A legacy link gives it one more, below that of the container it is linked to
 * (`/dtr-nginx-<id>/dtr-api-<id>`).
 */
function ownNames(names: readonly string[]): ReplicaContainerName[] {
  const depth = (name: string): number => name.split('/').length;
  const least = Math.min(...names.map(depth));
  const own = [...new Set(names)].filter((name) => depth(name) === least);
  return own.flatMap((name) => parseReplicaContainerName(name) ?? []);
}

interface ReplicaContainerName extends Pick<ReplicaContainer, 'node' | 'role'> {
  readonly replicaId: ReplicaId;
}

/** Parses `/<node>/dtr-<role>-<replica id>`; undefined for any other container. Node and role may hold dashes. */
export function parseReplicaContainerName(name: string): ReplicaContainerName | undefined {
  const [, node, role, id] = /^\/?(?:([^/]+)\/)?dtr-([a-z][a-z0-9-]*)-([0-9a-f]{12})$/.exec(name) ?? [];
  const replicaId = parseReplicaId(id ?? '');
  return role === undefined || replicaId === undefined ? undefined : { node, role, replicaId };
}

/** Docker's states of a container that does not run and will not by itself; one whose node is down may well run. */
const stoppedStates: readonly string[] = ['created', 'exited', 'dead', 'removing'];

function isStopped({ state }: ReplicaContainer): boolean {
  return stoppedStates.includes(state);
}

/** Of what is not stopped, one container for each role, and all of them on one node. */
function assertUnambiguous({ id, containers: all }: ReplicaGroup): void {
  const containers = all.filter((one) => !isStopped(one));
  const doubles = containers.filter((one) =>
    containers.some((other) => other.id !== one.id && other.role === one.role),
  );
  const advice = 'it is not clear which are its own; remove or rename what does not belong to it';
  if (doubles.length > 0) {
    throw replicaError(`DTR replica ${id} has several containers of one name: ${listContainers(doubles)}; ${advice}`);
  }
  if (new Set(containers.map(({ node }) => node)).size > 1) {
    throw replicaError(`DTR replica ${id} has containers on several nodes: ${listContainers(containers)}; ${advice}`);
  }
}

/** For messages. */
export function listContainers(containers: readonly ReplicaContainer[]): string {
  return containers
    .map(({ name, node, id, state }) => `${name} on node ${node ?? '-'} (${id.slice(0, 12)}, ${state})`)
    .join(', ');
}

/** The one that runs, of containers that are not ambiguous. */
function runningRethinkdb({ id, containers }: ReplicaGroup): ReplicaContainer {
  const all = containers.filter(isRethinkdb);
  const running = all.find(({ state }) => state === 'running');
  if (running !== undefined) return running;
  const down = all.find(({ state }) => state === hostDown);
  if (down !== undefined) {
    const what = `UCP does not reach node ${down.node ?? '-'} of DTR replica ${id} (Host Down)`;
    throw replicaError(`${what}: bring the node back, or choose another replica with --existing-replica-id`);
  }
  const found = all.map(({ name, node, state, status }) => {
    const where = node === undefined ? '' : ` on node ${node}`;
    return `${name}${where} is ${state}${status === '' ? '' : ` (${status})`}`;
  });
  const states = containers.map((container) => `${container.role} ${container.state}`).join(', ');
  throw replicaError(`RethinkDB of DTR replica ${id} is not running: ${found.join(', ')}; its containers: ${states}`);
}

function onlyOne(ids: readonly ReplicaId[]): ReplicaId {
  const [id, ...others] = ids;
  if (id === undefined) {
    const what = 'no DTR replica found: UCP shows no container dtr-rethinkdb-<replica id>';
    throw replicaError(`${what}; ${rightUserAdvice}`);
  }
  if (others.length === 0) return id;
  throw replicaError(`several DTR replicas found (${ids.join(', ')}): choose one with --existing-replica-id`);
}

function replicaError(message: string): JobError {
  return new JobError(ExitCode.replica, message);
}
