/** Finds where a replica's registry keeps the images: what is mounted in its container, and what its variables say. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { DockerApi } from './docker-api.js';
import type { InspectedContainer } from './docker-schemas.js';
import { onNodeOf, type ReplicaContainer, type ReplicaContainers } from './replica-containers.js';

/** Where DTR mounts its image storage into dtr-registry, whatever kind of volume it is. */
const storagePath = '/storage';

interface RegistryStorage {
  readonly container: ReplicaContainer;
  /** In the container. */
  readonly path: string;
  /** For people: `volume dtr-registry-<id>`. */
  readonly description: string;
}

/**
 * The storage that can be read through the registry's container: a volume, an NFS volume or a mounted directory;
 * `registryDirectory` is where images are below it. Throws a JobError with exit code 5 where images are kept elsewhere,
 * naming what is known of it, or where there are none.
 */
export async function findRegistryStorage(
  docker: DockerApi,
  replica: ReplicaContainers,
  registryDirectory: string,
): Promise<RegistryStorage> {
  const container = replica.containers.find(({ role }) => role === 'registry');
  const name = `dtr-registry-${replica.id}`;
  const inspected = container && (await onNodeOf(container, docker.inspectContainer(container.id)));
  if (container === undefined || inspected === undefined) throw storageError(`UCP shows no container ${name}`);
  const backend = storageBackend(inspected.environment);
  if (backend !== undefined) throw storageError(`${name} keeps its images in ${backend}: ${backUpElsewhere}`);
  const mount = inspected.mounts.find(({ path }) => path.replace(/(.)\/$/, '$1') === storagePath);
  if (mount === undefined) {
    const what = `${name} has nothing mounted at ${storagePath}`;
    throw storageError(`${what}: its images are kept elsewhere; ${backUpElsewhere}`);
  }
  const description = await describeMount(docker, mount);
  // DTR creates the volume dtr-registry-<id> at install, also where another backend is set up later, and keeps that
  // setting in its database in a form that nothing public specifies. So a storage without images is an error.
  if (!(await onNodeOf(container, docker.hasPath(container.id, `${storagePath}/${registryDirectory}`)))) {
    const what = `${description} of ${name} holds no image (no ${registryDirectory})`;
    throw storageError(`${what}: nothing was ever pushed, or DTR uses another storage backend; ${backUpElsewhere}`);
  }
  return { container, path: storagePath, description };
}

const backUpElsewhere = 'back that storage up as its own documentation says (DTR shows it under System > Storage)';

const backends: Readonly<Record<string, string>> = {
  S3: 'S3',
  S3GOOFYS: 'S3',
  AZURE: 'Azure',
  GCS: 'Google Cloud Storage',
  SWIFT: 'Swift',
  OSS: 'Alibaba OSS',
  INMEMORY: 'memory',
};

/** By the variables of the registry that DTR's is built on: `REGISTRY_STORAGE=s3`, or `REGISTRY_STORAGE_S3_BUCKET=…`. */
function storageBackend(environment: readonly string[]): string | undefined {
  const found = environment.map((variable) => {
    const [, driver, value] = /^REGISTRY_STORAGE(?:_([A-Z0-9]+)[A-Z0-9_]*)?=(.*)$/.exec(variable) ?? [];
    return backends[(driver ?? value ?? '').toUpperCase()];
  });
  return found.find((backend) => backend !== undefined);
}

async function describeMount(
  docker: DockerApi,
  { volume, source }: InspectedContainer['mounts'][number],
): Promise<string> {
  if (volume === undefined) return `directory ${source ?? 'of the node'}`;
  const name = volume.split('/').at(-1) ?? volume;
  const { type = '', device } = (await docker.inspectVolume(volume))?.options ?? {};
  if (!type.startsWith('nfs') && !name.startsWith('dtr-nfs-registry-')) return `volume ${name}`;
  return `NFS volume ${name}${device === undefined ? '' : ` (${device})`}`;
}

function storageError(message: string): JobError {
  return new JobError(ExitCode.replica, message);
}
