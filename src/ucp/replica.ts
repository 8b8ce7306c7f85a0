/** Finding a DTR replica among the containers of the cluster. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { ReplicaId } from '../model/replica-access.js';
import type { DockerApi } from './docker-api.js';
import type { ListedContainer } from './docker-shapes.js';
import { parseReplicaContainerName, type ReplicaContainerName } from './replica-names.js';

export interface ReplicaContainer {
  readonly id: string;
  /** `rethinkdb`, `nginx`, `notary-signer`, … */
  readonly role: string;
  /** Without the node: `dtr-<role>-<replica id>`. */
  readonly name: string;
  readonly node: string | undefined;
  /** `running`, `exited`, … */
  readonly state: string;
  /** For people: `Exited (137) 2 hours ago`. */
  readonly status: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Replica {
  readonly id: ReplicaId;
  /** It runs. */
  readonly rethinkdb: ReplicaContainer;
  /** Its own, `rethinkdb` among them, ordered by role, one for each role of DTR; some may not run. */
  readonly containers: readonly ReplicaContainer[];
  /** Those with a name like its own and a role that DTR does not have: nothing they say of the replica counts. */
  readonly unknown: readonly ReplicaContainer[];
  /** The other replicas of the cluster, of which nothing is read. */
  readonly others: readonly Pick<Replica, 'id' | 'containers' | 'unknown'>[];
}

/** The roles of a replica's own containers; DTR makes them all on one node. */
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
 * The replica with this id, or the only one of the cluster. Throws a JobError with exit code 5 where there is none,
 * where there are several to choose from, where its RethinkDB does not run, or where it is not clear which containers
 * are its own: anybody who may run containers can give one the name of a replica's, on another node.
 */
export async function findReplica(docker: DockerApi, replicaId: ReplicaId | undefined): Promise<Replica> {
  const replicas = groupByReplica(await docker.listContainers());
  const id = replicaId ?? onlyOne([...replicas.keys()]);
  const its = replicas.get(id);
  const rethinkdb = its?.containers.find(({ role }) => role === 'rethinkdb');
  if (its === undefined || rethinkdb === undefined) throw notFound(id, [...replicas.keys()]);
  assertUnambiguous(id, its.containers);
  if (rethinkdb.state !== 'running') throw notRunning(id, rethinkdb, its.containers);
  replicas.delete(id);
  return { id, rethinkdb, ...its, others: [...replicas].map(([otherId, other]) => ({ id: otherId, ...other })) };
}

/** A replica is what has a RethinkDB container; the rest of one that was removed does not count. */
function groupByReplica(listed: readonly ListedContainer[]): Map<ReplicaId, Pick<Replica, 'containers' | 'unknown'>> {
  const named = new Map<ReplicaId, ReplicaContainer[]>();
  for (const container of listed) {
    const { id, state, status, image, labels } = container;
    for (const { node, role, replicaId } of ownNames(container.names)) {
      const known = named.get(replicaId) ?? [];
      named.set(replicaId, known);
      known.push({ id, role, name: `dtr-${role}-${replicaId}`, node, state, status, image, labels });
    }
  }
  const replicas = new Map<ReplicaId, Pick<Replica, 'containers' | 'unknown'>>();
  for (const [id, all] of [...named].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!all.some(({ role }) => role === 'rethinkdb')) continue;
    all.sort((a, b) => a.role.localeCompare(b.role, 'en'));
    const isOwn = ({ role }: ReplicaContainer): boolean => dtrRoles.includes(role);
    replicas.set(id, { containers: all.filter(isOwn), unknown: all.filter((one) => !isOwn(one)) });
  }
  return replicas;
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

/** One container for each role, and all of them on one node. */
function assertUnambiguous(id: ReplicaId, own: readonly ReplicaContainer[]): void {
  const list = (some: readonly ReplicaContainer[]): string =>
    some
      .map(({ name, node, id: its, state }) => `${name} on node ${node ?? '-'} (${its.slice(0, 12)}, ${state})`)
      .join(', ');
  const doubles = own.filter((one) => own.some((other) => other.id !== one.id && other.role === one.role));
  const advice = 'which are its own cannot be told; remove or rename what does not belong to it';
  if (doubles.length > 0)
    throw unhealthy(`DTR replica ${id} has several containers of one name: ${list(doubles)}; ${advice}`);
  const nodes = new Set(own.map(({ node }) => node));
  if (nodes.size > 1) throw unhealthy(`DTR replica ${id} has containers on several nodes: ${list(own)}; ${advice}`);
}

function onlyOne(ids: readonly ReplicaId[]): ReplicaId {
  const [id, ...others] = ids;
  if (id === undefined) {
    const advice = 'is this the right UCP, and is the user an administrator?';
    throw unhealthy(`no DTR replica found: UCP shows no container dtr-rethinkdb-<replica id>; ${advice}`);
  }
  if (others.length > 0) {
    throw unhealthy(`several DTR replicas found (${ids.join(', ')}): choose one with --existing-replica-id`);
  }
  return id;
}

function notFound(id: ReplicaId, present: readonly ReplicaId[]): JobError {
  const others = present.length === 0 ? 'UCP shows none at all' : `UCP shows ${present.join(', ')}`;
  return unhealthy(`DTR replica ${id} not found: ${others}`);
}

function notRunning(id: ReplicaId, rethinkdb: ReplicaContainer, containers: readonly ReplicaContainer[]): JobError {
  const { name, node, state, status } = rethinkdb;
  const where = node === undefined ? '' : ` on node ${node}`;
  const states = containers.map((container) => `${container.role} ${container.state}`).join(', ');
  const what = `${name}${where} is ${state}${status === '' ? '' : ` (${status})`}`;
  return unhealthy(`RethinkDB of DTR replica ${id} is not running: ${what}; its containers: ${states}`);
}

function unhealthy(message: string): JobError {
  return new JobError(ExitCode.replica, message);
}
