/** A registry's storage: mounted into this job, or read through the replica's container. */
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
import { findReplica, onNodeOf, type ReplicaContainers } from '../../ucp/replica-containers.js';
import { signIn } from '../../ucp/session.js';
import { logReplica } from '../replica/replica-files.js';
import type { JobContext } from '../job-context.js';

export type StorageAccess =
  /** Mounted here; UCP is not needed, as the replica is named. */
  | { readonly kind: 'mounted'; readonly path: string; readonly replicaId: ReplicaId }
  /** UCP finds the replica; its storage is mounted here, or else read through its container. */
  | {
      readonly kind: 'ucp';
      readonly ucp: UcpCredentials;
      readonly replicaId: ReplicaId | undefined;
      readonly path: string | undefined;
    };

export interface StorageOptions {
  readonly access: StorageAccess;
  /** Detected where UCP is used and it is undefined. */
  readonly dtrVersion: DtrVersion | undefined;
  readonly connectWindowMs: number;
  readonly readTimeoutMs: number;
}

/** Disposing closes what was opened. */
export interface ImageStorage extends AsyncDisposable {
  readonly replicaId: ReplicaId;
  readonly dtrVersion: DtrVersion | undefined;
  /** In words. */
  readonly description: string;
  /** Everything in it, once. Throws a JobError with exit code 2 to 5, or the signal's reason. */
  items(): AsyncIterable<StorageItem>;
}

/** Whether there is a directory at this path. Throws a JobError with exit code 2 or 5, or the signal's reason. */
export async function isStorageMounted(path: string, limits: ReadingLimits): Promise<boolean> {
  await using reader = new MountedReader(path, limits);
  return (await reader.look()).isDirectory;
}

/** Throws a JobError with exit code 2 to 5, or the signal's reason; closes what it opened then. */
export async function openStorage(options: StorageOptions, context: JobContext): Promise<ImageStorage> {
  return Cleanup.over(async (cleanup) => {
    const storage = await open(options, cleanup, context);
    return { ...storage, [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose]() };
  });
}

type Opened = Omit<ImageStorage, keyof AsyncDisposable>;
type Content = Pick<ImageStorage, 'description' | 'items'>;

async function open(options: StorageOptions, cleanup: Cleanup, context: JobContext): Promise<Opened> {
  const { access, connectWindowMs: retryWindowMs, readTimeoutMs: timeoutMs } = options;
  const openMounted = (path: string): Promise<Content> => {
    return mountedStorage(cleanup.use(new MountedReader(path, { timeoutMs, signal: context.signal })), path);
  };
  if (access.kind === 'mounted') {
    const { replicaId, path } = access;
    return { replicaId, dtrVersion: options.dtrVersion, ...(await openMounted(path)) };
  }
  const docker = new DockerApi(cleanup.use(await signIn({ ...access.ucp, retryWindowMs, timeoutMs }, context)));
  const replica = await findReplica(docker, access.replicaId);
  const dtrVersion = options.dtrVersion ?? (await detectDtrVersion(docker, replica));
  logReplica(replica, dtrVersion, context);
  const content =
    access.path === undefined
      ? await containerStorage(docker, replica, { windowMs: timeoutMs, clock: context.clock })
      : await openMounted(access.path);
  return { replicaId: replica.id, dtrVersion, ...content };
}

async function mountedStorage(reader: MountedReader, path: string): Promise<Content> {
  // The wrong volume, or an empty one that Docker created for the name, is not a backup.
  if (!(await reader.look()).hasRegistry) {
    const message = `${path} holds no image (no ${registryDirectory}): is the registry's storage mounted there?`;
    throw new JobError(ExitCode.replica, message);
  }
  return { description: `what is mounted at ${path}`, items: () => reader.items() };
}

/** Within the read timeout, the engine must send an entry or this much: one that trickles would keep the job forever. */
const minWindowBytes = 64 * 1024;

async function containerStorage(
  docker: DockerApi,
  replica: ReplicaContainers,
  { windowMs, clock }: { readonly windowMs: number } & Pick<JobContext, 'clock'>,
): Promise<Content> {
  const { container, path, description } = await findRegistryStorage(docker, replica, registryDirectory);
  const broken = (reason: string): JobError => {
    const what = `cannot read ${description} through UCP: the engine's tar of it is broken: ${reason}`;
    const advice = 'a file that shrinks while the engine reads it breaks its tar: run again, or mount the volume';
    return new JobError(ExitCode.ucpUnreachable, `${what}; ${advice}`);
  };
  return {
    description,
    async *items() {
      const tar = await onNodeOf(container, docker.readArchive(container.id, path));
      if (tar === undefined) throw new JobError(ExitCode.replica, `${container.name} or its ${path} is gone`);
      let itemCount = 0;
      const guarded = guardProgress(tar as AsyncIterable<Buffer>, {
        windowMs,
        progress: (bytes) => itemCount + Math.floor(bytes / minWindowBytes),
        monotonicMs: () => clock.monotonicMs(),
        onStall: () => broken(`neither an entry nor ${minWindowBytes} bytes of one came within ${windowMs / 1000} s`),
      });
      for await (const item of readEngineTar(guarded, broken)) {
        itemCount += 1;
        yield item;
      }
    },
  };
}
