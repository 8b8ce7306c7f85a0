/**
 * The tables of a DTR replica: the 26 that a real listing of a backup shows, and the three of the job runner that it
 * leaves out. Primary keys and Notary's indexes are the real ones; the other indexes are ours, of every kind.
 */
export interface SecondaryIndex {
  readonly name: string;
  /** One field, or several for a compound index. */
  readonly fields: readonly [string, ...string[]];
  readonly multi?: boolean;
}

export interface ReplicaTable {
  readonly database: 'dtr2' | 'notaryserver' | 'notarysigner' | 'jobrunner';
  readonly name: string;
  readonly primaryKey: string;
  readonly indexes: readonly SecondaryIndex[];
  /** Whether the vendor's backup holds it. */
  readonly inBackup: boolean;
}

function table(
  database: ReplicaTable['database'],
  name: string,
  primaryKey = 'id',
  indexes: readonly (string | SecondaryIndex)[] = [],
): ReplicaTable {
  const named = indexes.map((index) => (typeof index === 'string' ? { name: index, fields: [index] as const } : index));
  return { database, name, primaryKey, indexes: named, inBackup: true };
}

export const replicaTables: readonly ReplicaTable[] = [
  table('dtr2', 'client_tokens', 'id', ['accountID', 'hashedToken']),
  table('dtr2', 'poll_mirroring_policies'),
  table('dtr2', 'promotion_policies'),
  table('dtr2', 'content_caches'),
  table('dtr2', 'webhooks', 'id', ['key']),
  table('dtr2', 'tags', 'pk', ['repository', { name: 'repository_digest', fields: ['repository', 'digest'] }]),
  table('dtr2', 'events', 'id', ['publishedAt', 'actor']),
  table('dtr2', 'manifests', 'pk', ['repository', { name: 'layer_digests', fields: ['layerDigests'], multi: true }]),
  table('dtr2', 'scanned_layers', 'digest'),
  table('dtr2', 'layer_vuln_overrides'),
  table('notaryserver', 'changefeed', 'id', ['gun', { name: 'gun_created_at', fields: ['gun', 'created_at'] }]),
  table('dtr2', 'scanned_images', 'id', ['repository']),
  table('dtr2', 'blob_links', 'id', ['digest']),
  table('dtr2', 'namespace_team_access', 'id', ['namespaceID']),
  table('notaryserver', 'tuf_files', 'gun_role_version', [
    ...['sha256', 'gun', 'timestamp_checksum'],
    { name: 'gun_role', fields: ['gun', 'role'] },
    { name: 'gun_role_sha256', fields: ['gun', 'role', 'sha256'] },
  ]),
  table('dtr2', 'properties', 'key'),
  table('dtr2', 'helm_charts', 'pk'),
  table('dtr2', 'pruning_policies'),
  table('dtr2', 'repository_team_access', 'id', ['teamID']),
  table('dtr2', 'push_mirroring_policies'),
  table('dtr2', 'repositories', 'pk', ['id', { name: 'namespace_name', fields: ['namespaceName', 'name'] }]),
  table('dtr2', 'user_settings', 'accountID'),
  table('dtr2', 'metrics'),
  table('dtr2', 'blobs', 'digest'),
  table('jobrunner', 'crons', 'id', ['action']),
  table('notarysigner', 'private_keys', 'key_id'),
  { ...table('jobrunner', 'jobs', 'id', ['action', 'status']), inBackup: false },
  { ...table('jobrunner', 'joblogs', 'id', ['jobID']), inBackup: false },
  { ...table('jobrunner', 'action_configs'), inBackup: false },
];

/** The tables that stay empty in the seed: a backup holds their directories all the same. */
export const emptyTables: ReadonlySet<string> = new Set([
  ...['promotion_policies', 'content_caches', 'helm_charts', 'layer_vuln_overrides', 'push_mirroring_policies'],
]);
