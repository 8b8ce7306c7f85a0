/** A DTR replica in the stand-in's cluster, after real container lists: its nine containers, labels and volumes. */
import { createHash } from 'node:crypto';
import { addContainer, overlayNetwork, type ClusterMount, type ClusterState, type VolumeContent } from './cluster.js';

/** Where a replica shows its version. */
export type VersionSign = 'label' | 'compose-label' | 'environment' | 'image' | 'none';

export interface DtrReplicaOptions {
  /** 12 hex digits. */
  readonly id: string;
  readonly node?: string;
  readonly version?: string;
  /** All of them when left out. */
  readonly versionSigns?: readonly VersionSign[];
  /** The files of `dtr-ca-<id>` and `dtr-notary-<id>`. */
  readonly ca?: VolumeContent;
  readonly notary?: VolumeContent;
  /** What is mounted at /storage of dtr-registry; a volume `dtr-registry-<id>` with two blobs when left out. */
  readonly storage?: Partial<ClusterMount>;
  /** Before the image's name, such as `registry.example.com:5000/msr/`. */
  readonly imagePrefix?: string;
  /** `running` when left out. */
  readonly rethinkdbState?: string;
}

const roles = [
  'api',
  'garant',
  'jobrunner',
  'nginx',
  'notary-server',
  'notary-signer',
  'registry',
  'rethinkdb',
  'scanningstore',
] as const;
type Role = (typeof roles)[number];

/** What stands in for certificates where a test does not care. */
const someCa: VolumeContent = {
  'rethink/cert.pem': 'rethink ca\n',
  'rethink-client/cert.pem': 'rethink client\n',
  'rethink-client/key.pem': 'rethink client key\n',
};
const someNotary: VolumeContent = { 'notary-signer/key.pem': 'notary key\n', 'notary-server/cert.pem': 'notary\n' };

/** As distribution lays them out: the SHA-256 of their content is their name. */
const someImages: VolumeContent = Object.fromEntries(
  ['{"layer":1}', '{"layer":2}'].map((content) => {
    const digest = createHash('sha256').update(content).digest('hex');
    return [`docker/registry/v2/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`, content];
  }),
);

export function addDtrReplica(state: ClusterState, options: DtrReplicaOptions): void {
  const { id, node = 'dtr-node-1', rethinkdbState = 'running' } = options;
  for (const role of roles) {
    const isDown = role === 'rethinkdb' && rethinkdbState !== 'running';
    addContainer(state, {
      name: `dtr-${role}-${id}`,
      node,
      image: imageOf(role, options),
      labels: labelsOf(options),
      environment: environmentOf(role, options),
      mounts: mountsOf(role, options, node),
      networks: new Set([overlayNetwork]),
      ...(isDown && { state: rethinkdbState, status: 'Exited (137) 2 hours ago' }),
    });
  }
}

function shows({ versionSigns }: DtrReplicaOptions, sign: VersionSign): boolean {
  return versionSigns?.includes(sign) ?? true;
}

function imageOf(role: Role, options: DtrReplicaOptions): string {
  const { version = '2.9.4', imagePrefix = 'docker/' } = options;
  const name = role === 'rethinkdb' ? 'dtr-rethink' : `dtr-${role}`;
  return `${imagePrefix}${name}${shows(options, 'image') ? `:${version}` : ''}`;
}

function labelsOf(options: DtrReplicaOptions): Record<string, string> {
  const { id, version = '2.9.4' } = options;
  return {
    'com.docker.dtr.replica': id,
    ...(shows(options, 'label') && { 'com.docker.dtr.version': version }),
    ...(shows(options, 'compose-label') && {
      'com.docker.compose.project': `Docker Trusted Registry ${version} - (Replica ${id})`,
    }),
  };
}

function environmentOf(role: Role, options: DtrReplicaOptions): string[] {
  const isShown = role === 'registry' && shows(options, 'environment');
  return ['PATH=/usr/bin', ...(isShown ? [`DTR_VERSION=${options.version ?? '2.9.4'}`] : [])];
}

function mountsOf(role: Role, options: DtrReplicaOptions, node: string): ClusterMount[] {
  const { id, ca = someCa, notary = someNotary } = options;
  const mounts: ClusterMount[] = [{ path: '/config', content: {} }];
  if (role !== 'scanningstore') mounts.push({ volume: `${node}/dtr-ca-${id}`, path: '/ca', content: ca });
  if (role.startsWith('notary-')) mounts.push({ volume: `${node}/dtr-notary-${id}`, path: '/notary', content: notary });
  if (role === 'rethinkdb') mounts.push({ volume: `${node}/dtr-rethink-${id}`, path: '/data', content: {} });
  if (role === 'registry') {
    mounts.push({ volume: `${node}/dtr-registry-${id}`, path: '/storage', content: someImages, ...options.storage });
  }
  return mounts;
}
