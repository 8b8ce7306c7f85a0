/** Finds a DTR replica among the containers of the cluster. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { parseReplicaId, type ReplicaId } from '../model/replica-access.js';
import type { DockerApi } from './docker-api.js';
import type { ListedContainer } from './docker-schemas.js';

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
  /** Its own, RethinkDB's among them, ordered by role, one for each role of DTR; some may not run. */
  readonly containers: readonly ReplicaContainer[];
  /** Those with a name like its own and a role that DTR does not have: they are not used as signs of anything. */
  readonly unknown: readonly ReplicaContainer[];
}

export interface ReplicaContainers extends ReplicaGroup {
  /** It runs. */
  readonly rethinkdb: ReplicaContainer;
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
 * there are several to choose from, where its RethinkDB does not run, or where it is not clear which containers are its
 * own: anyone who may run containers can give one the name of a replica's, on another node.
 */
export async function findReplica(docker: DockerApi, replicaId: ReplicaId | undefined): Promise<ReplicaContainers> {
  const replicas = groupByReplica(await docker.listContainers());
  const ids = replicas.map(({ id }) => id);
  const id = replicaId ?? onlyOne(ids);
  const replica = replicas.find((one) => one.id === id);
  const rethinkdb = replica?.containers.find(isRethinkdb);
  if (replica === undefined || rethinkdb === undefined) {
    const others = ids.length === 0 ? 'UCP shows none at all' : `UCP shows ${ids.join(', ')}`;
    throw replicaError(`DTR replica ${id} not found: ${others}`);
  }
  assertUnambiguous(replica);
  assertRunning(replica, rethinkdb);
  return { ...replica, rethinkdb, others: replicas.filter((one) => one !== replica) };
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

/** One container for each role, and all of them on one node. */
function assertUnambiguous({ id, containers }: ReplicaGroup): void {
  const list = (some: readonly ReplicaContainer[]): string =>
    some.map((one) => `${one.name} on node ${one.node ?? '-'} (${one.id.slice(0, 12)}, ${one.state})`).join(', ');
  const doubles = containers.filter((one) =>
    containers.some((other) => other.id !== one.id && other.role === one.role),
  );
  const advice = 'it is not clear which are its own; remove or rename what does not belong to it';
  if (doubles.length > 0) {
    throw replicaError(`DTR replica ${id} has several containers of one name: ${list(doubles)}; ${advice}`);
  }
  if (new Set(containers.map(({ node }) => node)).size > 1) {
    throw replicaError(`DTR replica ${id} has containers on several nodes: ${list(containers)}; ${advice}`);
  }
}

function assertRunning({ id, containers }: ReplicaGroup, { name, node, state, status }: ReplicaContainer): void {
  if (state === 'running') return;
  const where = node === undefined ? '' : ` on node ${node}`;
  const what = `${name}${where} is ${state}${status === '' ? '' : ` (${status})`}`;
  const states = containers.map((container) => `${container.role} ${container.state}`).join(', ');
  throw replicaError(`RethinkDB of DTR replica ${id} is not running: ${what}; its containers: ${states}`);
}

function onlyOne(ids: readonly ReplicaId[]): ReplicaId {
  const [id, ...others] = ids;
  if (id === undefined) {
    const advice = 'is this the right UCP, and is the user an administrator?';
    throw replicaError(`no DTR replica found: UCP shows no container dtr-rethinkdb-<replica id>; ${advice}`);
  }
  if (others.length === 0) return id;
  throw replicaError(`several DTR replicas found (${ids.join(', ')}): choose one with --existing-replica-id`);
}

function replicaError(message: string): JobError {
  return new JobError(ExitCode.replica, message);
}
