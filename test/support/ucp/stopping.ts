/** What stopping and starting a replica's containers should look like in the UCP stand-in. */
import type { ClusterContainer } from './cluster.js';
import type { UcpStandIn } from './stand-in.js';

/** The roles that write, in the order they stop. */
export const writingRoles = [
  'nginx',
  'jobrunner',
  'registry',
  'notary-server',
  'notary-signer',
  'api',
  'garant',
  'scanningstore',
] as const;
export type WritingRole = (typeof writingRoles)[number];

/** All of them stopped, in order. */
export const stopped = writingRoles.map((role) => `stopped ${role}`);
/** All of them started, in order. */
export const started = writingRoles.toReversed().map((role) => `started ${role}`);

/** What an operator types to start all of them. */
export function startCommand(replicaId: string): string {
  return ['docker start', ...writingRoles.toReversed().map((role) => `dtr-${role}-${replicaId}`)].join(' ');
}

/** One replica of a stand-in, with its containers. */
export class StandInReplica {
  readonly #ucp: UcpStandIn;
  readonly #id: string;

  constructor(ucp: UcpStandIn, id: string) {
    this.#ucp = ucp;
    this.#id = id;
  }

  container(role: WritingRole | 'rethinkdb'): ClusterContainer {
    const found = this.#ucp.state.containers.find(({ name }) => name === `dtr-${role}-${this.#id}`);
    if (found === undefined) throw new Error(`no container ${role}`);
    return found;
  }

  /** `stopped nginx`, …, as it was carried out. */
  get changes(): string[] {
    const roleOf = (name: string): string => name.slice('dtr-'.length, -this.#id.length - 1);
    return this.#ucp.state.containerChanges.map(({ what, container }) => `${what} ${roleOf(container)}`);
  }

  /** The roles that do not run. */
  get down(): WritingRole[] {
    return writingRoles.filter((role) => this.container(role).state !== 'running');
  }

  /** For a fault: the order to this container. */
  on(role: WritingRole, what: 'stop' | 'start'): RegExp {
    return new RegExp(`^POST /containers/${this.container(role).id}/${what}\\b`);
  }

  /** `stop`, `start`, …, as this container was told, carried out or not. */
  ordersTo(role: WritingRole): string[] {
    const pattern = new RegExp(`${this.container(role).id}/(stop|start)\\b`);
    return this.#ucp.calls.flatMap(({ path }) => pattern.exec(path)?.[1] ?? []);
  }
}
