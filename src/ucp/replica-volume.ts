/** A replica's certificate volumes, read through a container that has them mounted. What is in the tar is not for here. */
import type { Readable } from 'node:stream';
import type { DockerApi } from './docker-api.js';
import type { Replica, ReplicaContainer } from './replica.js';
import { isReplicaVolume, type CertificateVolumeName } from './replica-names.js';

/** Where a volume can be read. */
export interface VolumePlace {
  readonly container: ReplicaContainer;
  /** The directory that the volume is mounted at. */
  readonly path: string;
}

/** Who is asked first; any other container of the replica may have the volume mounted as well. */
const likelyRoles: Readonly<Record<CertificateVolumeName, readonly string[]>> = {
  ca: ['rethinkdb'],
  notary: ['notary-signer', 'notary-server'],
};

/**
 * Where `dtr-ca-<id>` or `dtr-notary-<id>` is mounted. Undefined where no container of the replica has it; the volume
 * `ca` is then looked for at /ca of dtr-rethinkdb, where DTR has always had it.
 */
export async function locateVolume(
  docker: DockerApi,
  replica: Replica,
  volume: CertificateVolumeName,
): Promise<VolumePlace | undefined> {
  const isLikely = ({ role }: ReplicaContainer): boolean => likelyRoles[volume].includes(role);
  const { containers, id } = replica;
  for (const container of [...containers.filter(isLikely), ...containers.filter((one) => !isLikely(one))]) {
    const mounts = (await docker.inspectContainer(container.id))?.mounts ?? [];
    const found = mounts.find((mount) => mount.volume !== undefined && isReplicaVolume(mount.volume, volume, id));
    if (found !== undefined) return { container, path: found.path };
  }
  return volume === 'ca' ? { container: replica.rethinkdb, path: '/ca' } : undefined;
}

/**
 * A tar of the volume; its entries begin with the name of the directory it is mounted at. Undefined where the replica
 * has no such volume. Throws what the Docker API throws; the caller reads the stream to its end or destroys it.
 */
export async function openVolume(
  docker: DockerApi,
  replica: Replica,
  volume: CertificateVolumeName,
): Promise<Readable | undefined> {
  const place = await locateVolume(docker, replica, volume);
  return place && docker.readArchive(place.container.id, place.path);
}
