/** The way to a registry's storage, walked: mounted into this job, or through the replica's container. */
import { registryDirectory } from '../../archive/images/image-layout.js';
import { MountedReader, type ReadingLimits } from '../../archive/images/mounted-reader.js';
import { readEngineTar, type StorageItem } from '../../archive/images/storage-tree.js';
import { guardProgress } from '../../base/progress-guard.js';
import { Cleanup } from '../../base/cleanup.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { UcpCredentials, ReplicaId } from '../../model/replica-access.js';
import type { DtrVersion } from '../../model/dtr-version.js';
import { DockerApi } from '../../ucp/docker-api.js';
import { findRegistryStorage } from '../../ucp/registry-storage.js';
import { detectDtrVersion } from '../../ucp/replica-version.js';
import { findReplica, type ReplicaContainers } from '../../ucp/replica-containers.js';
import { signIn } from '../../ucp/session.js';
import type { JobContext } from '../job-context.js';

export interface StorageAccess {
  /** Absent where the storage is mounted and the replica named. */
  readonly ucp?: UcpCredentials;
  readonly replicaId?: ReplicaId;
  readonly dtrVersion?: DtrVersion;
  readonly connectWindowMs: number;
  readonly readTimeoutMs: number;
  /** Where the storage is mounted; absent where it is not. */
  readonly mountedAt?: string;
}

/** Disposing ends the session with UCP. */
export interface ImageStorage extends AsyncDisposable {
  readonly replicaId: ReplicaId;
  readonly dtrVersion: DtrVersion | undefined;
  /** For people. */
  readonly description: string;
  /** Everything in it, once. Throws a JobError with exit code 2 to 5, or the signal's reason. */
  items(): AsyncIterable<StorageItem>;
}

/** Whether there is a directory at this path. Throws a JobError with exit code 2 or 5, or the signal's reason. */
export async function isStorageMounted(path: string, limits: ReadingLimits): Promise<boolean> {
  await using reader = new MountedReader(path, limits);
  return (await reader.look()).isDirectory;
}

/** Throws a JobError with exit code 2 to 5, or the signal's reason; nothing stays open then. */
export async function reachStorage(options: StorageAccess, context: JobContext): Promise<ImageStorage> {
  const cleanup = new Cleanup();
  try {
    return await reach(options, cleanup, context);
  } catch (error) {
    await cleanup[Symbol.asyncDispose]();
    throw error;
  }
}

async function reach(options: StorageAccess, cleanup: Cleanup, context: JobContext): Promise<ImageStorage> {
  const { ucp, mountedAt } = options;
  const close = { [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose]() };
  const openMounted = (path: string): Promise<Source> => {
    return mountedStorage(path, { timeoutMs: options.readTimeoutMs, signal: context.signal }, cleanup);
  };
  if (ucp === undefined) {
    const { replicaId, dtrVersion } = options;
    if (mountedAt === undefined || replicaId === undefined) throw new TypeError('neither UCP nor a storage is given');
    return { replicaId, dtrVersion, ...(await openMounted(mountedAt)), ...close };
  }
  const limits = { retryWindowMs: options.connectWindowMs, timeoutMs: options.readTimeoutMs };
  const docker = new DockerApi(cleanup.use(await signIn({ ...ucp, ...limits }, context)));
  const replica = await findReplica(docker, options.replicaId);
  const dtrVersion = options.dtrVersion ?? (await detectDtrVersion(docker, replica));
  context.log.info(`Using replica ${replica.id} of DTR ${dtrVersion ?? 'of unknown version'}`);
  const source =
    mountedAt === undefined ? await storageThroughUcp(docker, replica, options, context) : await openMounted(mountedAt);
  return { replicaId: replica.id, dtrVersion, ...source, ...close };
}

type Source = Pick<ImageStorage, 'description' | 'items'>;

async function mountedStorage(path: string, limits: ReadingLimits, cleanup: Cleanup): Promise<Source> {
  const reader = new MountedReader(path, limits);
  cleanup.use(reader);
  // A mount of the wrong volume, or of an empty one that Docker made for the name, must not pass for a backup.
  if (!(await reader.look()).hasRegistry) {
    const message = `${path} holds no image (no ${registryDirectory}): is the registry's storage mounted there?`;
    throw new JobError(ExitCode.replica, message);
  }
  return { description: `what is mounted at ${path}`, items: () => reader.items() };
}

/** What the engine sends in the time limit at the least, or an entry: one that trickles would keep the job for ever. */
const leastBytes = 64 * 1024;

async function storageThroughUcp(
  docker: DockerApi,
  replica: ReplicaContainers,
  { readTimeoutMs: windowMs }: StorageAccess,
  { clock }: JobContext,
): Promise<Source> {
  const { container, path, description } = await findRegistryStorage(docker, replica, registryDirectory);
  const broken = (reason: string): JobError => {
    const what = `cannot read ${description} through UCP: the engine's tar of it is broken: ${reason}`;
    const advice = 'a file that shrinks while the engine reads it breaks its tar: run again, or mount the volume';
    return new JobError(ExitCode.ucpUnreachable, `${what}; ${advice}`);
  };
  return {
    description,
    async *items() {
      const tar = await docker.readArchive(container.id, path);
      if (tar === undefined) throw new JobError(ExitCode.replica, `${container.name} or its ${path} is gone`);
      let itemCount = 0;
      const guarded = guardProgress(tar as AsyncIterable<Buffer>, {
        windowMs,
        progress: (bytes) => itemCount + Math.floor(bytes / leastBytes),
        monotonicMs: () => clock.monotonicMs(),
        onStall: () => broken(`neither an entry nor ${leastBytes} bytes of one came within ${windowMs / 1000} s`),
      });
      for await (const item of readEngineTar(guarded, broken)) {
        itemCount += 1;
        yield item;
      }
    },
  };
}
