/** The id of a DTR replica: 12 hex digits, the end of every container and volume name of that replica. */
export type ReplicaId = string & { readonly __brand: 'ReplicaId' };

/** The id in `text`, or undefined where it is none. */
export function parseReplicaId(text: string): ReplicaId | undefined {
  const id = text.trim().toLowerCase();
  return /^[0-9a-f]{12}$/.test(id) ? (id as ReplicaId) : undefined;
}
