/** A replica's certificate volumes as tars, read through a container that has them mounted. */
import type { Readable } from 'node:stream';
import type { DockerApi } from './docker-api.js';
import { onNodeOf, type ReplicaContainer, type ReplicaContainers } from './replica-containers.js';

/** The volumes whose files a backup holds: `dtr-ca-<replica id>` and `dtr-notary-<replica id>`. */
export type CertificateVolumeName = 'ca' | 'notary';

/** Where a volume can be read. */
export interface VolumePlace {
  readonly container: ReplicaContainer;
  /** The directory that the volume is mounted at. */
  readonly path: string;
}

/** Who is asked first; any other container of DTR's own may have the volume mounted as well. */
const likelyRoles: Readonly<Record<CertificateVolumeName, readonly string[]>> = {
  ca: ['rethinkdb'],
  notary: ['notary-signer', 'notary-server'],
};

/**
 * Where `dtr-ca-<id>` or `dtr-notary-<id>` is mounted, perhaps with a node before its name (`<node>/dtr-ca-<id>`).
 * Undefined where no container of the replica has it; `ca` is then expected at /ca of dtr-rethinkdb, as in every version
 * of DTR. Throws what the Docker API throws.
 */
export async function locateVolume(
  docker: DockerApi,
  { id, rethinkdb, containers }: ReplicaContainers,
  volume: CertificateVolumeName,
): Promise<VolumePlace | undefined> {
  const isLikely = ({ role }: ReplicaContainer): boolean => likelyRoles[volume].includes(role);
  for (const container of [...containers.filter(isLikely), ...containers.filter((one) => !isLikely(one))]) {
    const mounts = (await onNodeOf(container, docker.inspectContainer(container.id)))?.mounts ?? [];
    const found = mounts.find((mount) => mount.volume?.split('/').at(-1) === `dtr-${volume}-${id}`);
    if (found !== undefined) return { container, path: found.path };
  }
  return volume === 'ca' ? { container: rethinkdb, path: '/ca' } : undefined;
}

/** A volume that is being read. */
export interface OpenVolume extends VolumePlace {
  /** The entries begin with the name of the directory it is mounted at. The caller reads it to its end or destroys it. */
  readonly tar: Readable;
}

/** Undefined where the replica has no such volume. Throws what the Docker API throws. */
export async function openVolume(
  docker: DockerApi,
  replica: ReplicaContainers,
  volume: CertificateVolumeName,
): Promise<OpenVolume | undefined> {
  const place = await locateVolume(docker, replica, volume);
  const tar = place && (await onNodeOf(place.container, docker.readArchive(place.container.id, place.path)));
  return place && tar && { ...place, tar };
}
