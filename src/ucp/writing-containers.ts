/** Which containers of a replica write, and in which order they stop and start. Pure. */
import type { ReplicaContainer, ReplicaContainers } from './replica-containers.js';

/**
 * Callers stop before those they call: first what accepts requests, then what begins work by itself, then what serves
 * both, and last what only the others call. No public source says who calls whom; this follows what each role is for.
 * They start in reverse, so that nginx accepts no request before the rest runs.
 */
const stopOrder: readonly string[] = [
  'nginx',
  'jobrunner',
  'registry',
  'notary-server',
  'notary-signer',
  'api',
  'garant',
  'scanningstore',
];

/** Docker's states in which a container may write; a paused one does not. */
const activeStates: readonly string[] = ['running', 'restarting'];

export interface WritingContainers {
  /** In the order to stop them. */
  readonly active: readonly ReplicaContainer[];
  /** Stopped or paused before, so neither stopped nor started. */
  readonly inactive: readonly ReplicaContainer[];
  /** Running, with a role that DTR does not have: they may write, and this very job may be among them. */
  readonly unknown: readonly ReplicaContainer[];
}

export function findWritingContainers({
  containers,
  unknown,
}: Pick<ReplicaContainers, 'containers' | 'unknown'>): WritingContainers {
  const known = stopOrder.flatMap((role) => containers.filter((container) => container.role === role));
  return {
    active: known.filter(isActive),
    inactive: known.filter((container) => !isActive(container)),
    unknown: unknown.filter(isActive),
  };
}

/** What an operator types to start containers, given in the order they were stopped, through a UCP client bundle. */
export function startCommand(stopped: readonly ReplicaContainer[]): string {
  return ['docker', 'start', ...stopped.map(({ name }) => name).reverse()].join(' ');
}

function isActive({ state }: ReplicaContainer): boolean {
  return activeStates.includes(state);
}
