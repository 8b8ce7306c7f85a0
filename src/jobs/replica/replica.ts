/** The way to a replica, walked: a session with its RethinkDB, what the replica is, and its certificate files. */
import type { CertificateFile } from '../../archive/entries/certificates.js';
import { Cleanup } from '../../base/cleanup.js';
import { JobError, UsageError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import {
  type Access,
  type UcpCredentials,
  type ReplicaId,
  defaultDriverPort,
  type RethinkdbAddress,
  type TlsIdentity,
} from '../../model/replica-access.js';
import type { DtrVersion } from '../../model/dtr-version.js';
import type { LeftOut } from '../../model/manifest.js';
import { readCurrentIssues, readServerVersion } from '../../rethink/server-status.js';
import { RethinkSession } from '../../rethink/session.js';
import { DockerApi } from '../../ucp/docker-api.js';
import { joinOverlayNetwork } from '../../ucp/overlay-network.js';
import { findOwnContainerId } from '../../ucp/own-container.js';
import { detectDtrVersion } from '../../ucp/replica-version.js';
import { findReplica, type ReplicaContainers } from '../../ucp/replica-containers.js';
import { signIn } from '../../ucp/session.js';
import { readMountedTls, readVolume, readVolumes, tlsFromVolume } from './replica-files.js';
import type { JobContext } from '../job-context.js';

/** A replica whose RethinkDB answers. Disposing leaves everything that was joined or opened on the way, in reverse. */
export interface Replica extends AsyncDisposable {
  readonly session: RethinkSession;
  readonly id: ReplicaId | undefined;
  readonly dtrVersion: DtrVersion;
  readonly rethinkdbVersion: string | undefined;
  readonly certificates: readonly CertificateFile[];
  readonly leftOut: readonly LeftOut[];
  /** Its containers and the way to them; absent in direct mode. */
  readonly ucp?: { readonly docker: DockerApi; readonly replica: ReplicaContainers };
}

/** The overlay network that RethinkDB answers on, and the names of the replicas' databases there. */
const overlayNetwork = 'dtr-ol';
const overlayAddress = (id: ReplicaId): RethinkdbAddress => ({
  host: `dtr-rethinkdb-${id}.${overlayNetwork}`,
  port: defaultDriverPort,
});

/** Throws a JobError with exit code 2 to 7, or the signal's reason; nothing stays open or joined then. */
export async function reachReplica(access: Access, withCertificates: boolean, context: JobContext): Promise<Replica> {
  const cleanup = new Cleanup();
  try {
    return access.ucp === undefined
      ? await reachDirectly(access, cleanup, context)
      : await reachThroughUcp(access.ucp, access, withCertificates, cleanup, context);
  } catch (error) {
    await cleanup[Symbol.asyncDispose]();
    throw error;
  }
}

async function reachDirectly(access: Access, cleanup: Cleanup, context: JobContext): Promise<Replica> {
  const { address, dtrVersion } = access;
  if (address === undefined || dtrVersion === undefined) throw new TypeError('direct mode needs address and version');
  const { session, rethinkdbVersion } = await openDatabase(access, address, access.tls, cleanup, context);
  return {
    session,
    id: access.replicaId,
    dtrVersion,
    rethinkdbVersion,
    certificates: [],
    leftOut: [{ what: 'certificates', why: "direct mode does not reach the replica's volumes" }],
    [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose](),
  };
}

async function reachThroughUcp(
  ucp: UcpCredentials,
  access: Access,
  withCertificates: boolean,
  cleanup: Cleanup,
  context: JobContext,
): Promise<Replica> {
  const { log } = context;
  const docker = new DockerApi(cleanup.use(await signIn({ ...ucp, retryWindowMs: access.connectWindowMs }, context)));
  const replica = await findReplica(docker, access.replicaId);
  const dtrVersion = access.dtrVersion ?? (await detectDtrVersion(docker, replica));
  if (dtrVersion === undefined) throw new UsageError(['the version of DTR cannot be detected: give --dtr-version']);
  log.info(`Using replica ${replica.id} of DTR ${dtrVersion}`);

  const volumes = withCertificates ? await readVolumes(docker, replica, ['ca', 'notary'], context) : undefined;
  const tls = access.plaintext ? {} : await findTls(access, docker, replica, volumes?.files, context);
  if (access.address === undefined) {
    const containerId = await findOwnContainerId(context.hostName, context.readFile);
    cleanup.use(await joinOverlayNetwork(docker, { containerId, network: overlayNetwork }, context));
  }
  const address = access.address ?? overlayAddress(replica.id);
  const { session, rethinkdbVersion } = await openDatabase(access, address, tls, cleanup, context);
  return {
    session,
    id: replica.id,
    dtrVersion,
    rethinkdbVersion,
    certificates: volumes?.files ?? [],
    leftOut: volumes?.leftOut ?? [{ what: 'certificates', why: '--no-certificates' }],
    ucp: { docker, replica },
    [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose](),
  };
}

/** What the operator gave, then what is mounted at /ca, then what the replica's own volume holds. */
async function findTls(
  { tls }: Access,
  docker: DockerApi,
  replica: ReplicaContainers,
  read: readonly CertificateFile[] | undefined,
  context: JobContext,
): Promise<TlsIdentity> {
  if (tls.ca !== undefined && tls.cert !== undefined) return tls;
  const own = await readMountedTls(context.readFile);
  if (own !== undefined) return { ...own, ...tls };
  const files = read ?? (await readVolume(docker, replica, 'ca', context))?.files ?? [];
  const found = tlsFromVolume(files);
  if (found !== undefined) return { ...found, ...tls };
  const message = `volume dtr-ca-${replica.id} has no RethinkDB client certificate: give --rethinkdb-client-cert`;
  throw new JobError(ExitCode.replica, message);
}

/** Connects, and says what was found: the version, and whatever the cluster complains of. */
async function openDatabase(
  access: Access,
  address: RethinkdbAddress,
  tls: TlsIdentity,
  cleanup: Cleanup,
  context: JobContext,
): Promise<{ session: RethinkSession; rethinkdbVersion: string | undefined }> {
  const { plaintext, insecureSkipVerify, rethinkdbUser: user, connectWindowMs, readTimeoutMs } = access;
  const options = { address, insecureSkipVerify, user, connectWindowMs, readTimeoutMs };
  const session = cleanup.use(new RethinkSession({ ...options, tls: plaintext ? undefined : tls }, context));
  context.log.info(`Connecting to ${session.name}`);
  await session.connect();
  const rethinkdbVersion = await readServerVersion(session);
  context.log.info(`Connected to RethinkDB${rethinkdbVersion === undefined ? '' : ` ${rethinkdbVersion}`}`);
  for (const issue of await readCurrentIssues(session)) context.log.warn(`RethinkDB reports an issue: ${issue}`);
  return { session, rethinkdbVersion };
}
