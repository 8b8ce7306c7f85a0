/** Where a replica's registry keeps the images: what is mounted in its container, and what its variables say. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { DockerApi } from './docker-api.js';
import type { InspectedContainer } from './docker-shapes.js';
import type { Replica, ReplicaContainer } from './replica.js';

/** Where DTR mounts its image storage into dtr-registry, whatever kind of volume it is. */
const storagePath = '/storage';

export interface RegistryStorage {
  readonly container: ReplicaContainer;
  /** In the container. */
  readonly path: string;
  /** What it is, for people: `volume dtr-registry-<id>`. */
  readonly description: string;
}

/**
 * The storage that can be read through the registry's container: a volume, an NFS volume or a mounted directory. Throws
 * a JobError with exit code 5 where images are kept elsewhere, naming what is known of it, or where none are there.
 * `registryDirectory` is where images lie below the storage.
 */
export async function findRegistryStorage(
  docker: DockerApi,
  replica: Replica,
  registryDirectory: string,
): Promise<RegistryStorage> {
  const container = replica.containers.find(({ role }) => role === 'registry');
  const name = `dtr-registry-${replica.id}`;
  const inspected = container && (await docker.inspectContainer(container.id));
  if (container === undefined || inspected === undefined) throw unhealthy(`UCP shows no container ${name}`);
  const backend = storageBackend(inspected.environment);
  if (backend !== undefined) {
    throw unhealthy(`${name} keeps its images in ${backend}: ${ownPractice}`);
  }
  const [mount, ...others] = inspected.mounts.filter(({ path }) => path.replace(/(.)\/$/, '$1') === storagePath);
  if (others.length > 0) throw unhealthy(`${name} has ${others.length + 1} mounts at ${storagePath}`);
  if (mount === undefined) {
    throw unhealthy(`${name} has nothing mounted at ${storagePath}: its images are kept elsewhere; ${ownPractice}`);
  }
  const description = await describeMount(docker, mount);
  // DTR makes the volume dtr-registry-<id> at install, also where another backend is set up later, and keeps the setting
  // in its database in a form that nothing public specifies. So a storage without images is never taken for a backup.
  if (!(await docker.hasPath(container.id, `${storagePath}/${registryDirectory}`))) {
    const what = `${description} of ${name} holds no image (no ${registryDirectory})`;
    throw unhealthy(`${what}: nothing was ever pushed, or DTR keeps images in another storage backend; ${ownPractice}`);
  }
  return { container, path: storagePath, description };
}

const ownPractice = 'back that storage up as its own documentation says (DTR shows it under System > Storage)';

/** The variables of the registry that DTR's is built on: `REGISTRY_STORAGE=s3`, or `REGISTRY_STORAGE_S3_BUCKET=…`. */
export function storageBackend(environment: readonly string[]): string | undefined {
  const names: Readonly<Record<string, string>> = {
    S3: 'S3',
    S3GOOFYS: 'S3',
    AZURE: 'Azure',
    GCS: 'Google Cloud Storage',
    SWIFT: 'Swift',
    OSS: 'Alibaba OSS',
    INMEMORY: 'memory',
  };
  for (const variable of environment) {
    const [, driver, value] = /^REGISTRY_STORAGE(?:_([A-Z0-9]+)[A-Z0-9_]*)?=(.*)$/.exec(variable) ?? [];
    const found = names[(driver ?? value ?? '').toUpperCase()];
    if (found !== undefined) return found;
  }
  return undefined;
}

async function describeMount(
  docker: DockerApi,
  { volume, source }: InspectedContainer['mounts'][number],
): Promise<string> {
  if (volume === undefined) return `directory ${source ?? 'of the node'}`;
  const name = volume.split('/').at(-1) ?? volume;
  const options = (await docker.inspectVolume(volume))?.options ?? {};
  const isNfs = (options.type ?? '').startsWith('nfs') || name.startsWith('dtr-nfs-registry-');
  if (!isNfs) return `volume ${name}`;
  return options.device === undefined ? `NFS volume ${name}` : `NFS volume ${name} (${options.device})`;
}

function unhealthy(message: string): JobError {
  return new JobError(ExitCode.replica, message);
}
