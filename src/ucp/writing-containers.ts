/** Which containers of a replica write, and in which order they stop and start. Pure. */
import type { Replica, ReplicaContainer } from './replica.js';

/**
 * Callers stop before those they call, so that nothing fails for want of another: first what lets requests in, then
 * what begins work by itself, then what serves them, and last what only answers the others. No public source says who
 * calls whom; this follows what each role is for. They start in reverse, so that nginx lets nobody in before the rest
 * is there.
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
  /** Stopped or paused by somebody else, so neither to stop nor to start. */
  readonly inactive: readonly ReplicaContainer[];
  /** Running, and not known to us: whether they write, and whether this very job is among them, nobody can tell. */
  readonly unknown: readonly ReplicaContainer[];
}

export function findWritingContainers({
  containers,
  unknown,
}: Pick<Replica, 'containers' | 'unknown'>): WritingContainers {
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
