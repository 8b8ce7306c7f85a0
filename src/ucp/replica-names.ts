/** The names of a replica's containers and volumes, as Docker and UCP spell them. */
import { parseReplicaId, type ReplicaId } from '../model/replica-access.js';

export interface ReplicaContainerName {
  /** Absent where Docker itself answers rather than UCP. */
  readonly node: string | undefined;
  /** `rethinkdb`, `nginx`, `notary-signer`, … */
  readonly role: string;
  readonly replicaId: ReplicaId;
}

/**
 * Takes `/<node>/dtr-<role>-<replica id>` apart; undefined for any other container. The node is told from the name by
 * the slash alone, for both may hold dashes.
 */
export function parseReplicaContainerName(name: string): ReplicaContainerName | undefined {
  const match = /^\/?(?:(?<node>[^/]+)\/)?dtr-(?<role>[a-z][a-z0-9-]*)-(?<id>[0-9a-f]{12})$/.exec(name);
  const replicaId = parseReplicaId(match?.groups?.id ?? '');
  const role = match?.groups?.role;
  if (role === undefined || replicaId === undefined) return undefined;
  return { node: match?.groups?.node, role, replicaId };
}

/** The volumes whose files a backup holds: `dtr-ca-<replica id>` and `dtr-notary-<replica id>`. */
export type CertificateVolumeName = 'ca' | 'notary';

/** Whether a mount's volume is this one of this replica, with a node before it (`<node>/dtr-ca-<id>`) or without. */
export function isReplicaVolume(mounted: string, volume: CertificateVolumeName, replicaId: ReplicaId): boolean {
  return mounted.split('/').at(-1) === `dtr-${volume}-${replicaId}`;
}
