/** What the UCP stand-in knows of its cluster: containers on nodes, volumes, networks. Tests look at it and change it. */
import { createHash } from 'node:crypto';

/** Files by path below the volume, a directory of this machine that is served as the volume, or its tar as it stands. */
export type VolumeContent =
  Readonly<Record<string, string | Buffer>> | { readonly directory: string } | { readonly tar: () => Buffer };

export interface ClusterMount {
  /** Absent for a mounted directory. */
  readonly volume?: string;
  readonly path: string;
  /** The volume's driver options. */
  readonly options?: Readonly<Record<string, string>>;
  content: VolumeContent;
}

export interface ClusterContainer {
  /** 64 hex digits. */
  readonly id: string;
  readonly node: string;
  /** Without the node. */
  readonly name: string;
  image: string;
  labels: Record<string, string>;
  environment: string[];
  state: string;
  status: string;
  mounts: ClusterMount[];
  /** Names of networks. */
  readonly networks: Set<string>;
  /** It can be started, and is gone again before anybody looks. */
  endsAtStart: boolean;
  /** How many more times UCP will not know it. */
  unknownFor: number;
  /** What its engine leaves out of its answers: the state in lists (before API 1.23), or parts of the networks. */
  lacks: 'nothing' | 'State' | 'NetworkSettings' | 'Networks' | 'endpoints';
}

export interface ClusterState {
  readonly containers: ClusterContainer[];
  /** Ids by name. */
  readonly networks: Map<string, string>;
  /** Others, which may have the name of one of those; nothing joins them. */
  readonly namesakeNetworks: { readonly name: string; readonly id: string }[];
  /** Every connect and disconnect that was carried out, in order. */
  readonly networkChanges: {
    readonly what: 'joined' | 'left';
    readonly network: string;
    readonly containerId: string;
  }[];
  /** Every stop and start that was carried out, in order, by the container's name. */
  readonly containerChanges: { readonly what: 'stopped' | 'started'; readonly container: string }[];
  /** Every file that was unpacked into a container, in order. */
  readonly unpackedFiles: { readonly path: string; readonly mode: number; readonly uid: number }[];
  /** UCP does not reach these: it lists their containers as `Host Down`, and answers 500 for each of them. */
  readonly downNodes: Set<string>;
  /** Networks that the engine lets no container join by hand. */
  readonly unattachableNetworks: Set<string>;
  /** Whether names are `/<node>/<name>`, as through UCP, or `/<name>`. */
  namesCarryNodes: boolean;
}

export const overlayNetwork = 'dtr-ol';

export function createClusterState(): ClusterState {
  return {
    containers: [],
    networks: new Map([
      ['bridge', hexId('network bridge')],
      [overlayNetwork, hexId(`network ${overlayNetwork}`)],
    ]),
    namesakeNetworks: [],
    networkChanges: [],
    containerChanges: [],
    unpackedFiles: [],
    downNodes: new Set(),
    unattachableNetworks: new Set(),
    namesCarryNodes: true,
  };
}

/** Adds a container to the cluster; what is left out is that of a running one without any role. */
export function addContainer(
  state: ClusterState,
  container: Pick<ClusterContainer, 'name'> & Partial<ClusterContainer>,
): ClusterContainer {
  const node = container.node ?? 'worker-1';
  const added: ClusterContainer = {
    id: hexId(`container ${node} ${container.name}`),
    node,
    image: 'example/app:1.0',
    labels: {},
    environment: [],
    state: 'running',
    status: 'Up 3 days',
    mounts: [],
    networks: new Set(['bridge']),
    endsAtStart: false,
    unknownFor: 0,
    lacks: 'nothing',
    ...container,
  };
  state.containers.push(added);
  return added;
}

/** By its id or the beginning of it; counts down `unknownFor`. */
export function findContainer(state: ClusterState, id: string): ClusterContainer | undefined {
  const found = state.containers.find((container) => id.length >= 12 && container.id.startsWith(id));
  if (found === undefined || found.unknownFor === 0) return found;
  found.unknownFor -= 1;
  return undefined;
}

/** 64 hex digits, always the same for the same name. */
export function hexId(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
