/** Reaches a replica: a session with its RethinkDB, its version, and its certificate files. */
import type { CertificateFile } from '../../archive/entries/certificates.js';
import { Cleanup } from '../../base/cleanup.js';
import { JobError, UsageError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import {
  type Access,
  defaultDriverPort,
  type DirectAccess,
  type ReplicaId,
  type RethinkdbAddress,
  type TlsIdentity,
  type UcpAccess,
} from '../../model/replica-access.js';
import type { DtrVersion } from '../../model/dtr-version.js';
import type { LeftOut } from '../../model/manifest.js';
import { readCurrentIssues, readServerVersion } from '../../rethink/server-status.js';
import { RethinkSession } from '../../rethink/session.js';
import { DockerApi } from '../../ucp/docker-api.js';
import { joinOverlayNetwork } from '../../ucp/overlay-network.js';
import { findOwnContainerId } from '../../ucp/own-container.js';
import { detectDtrVersion } from '../../ucp/replica-version.js';
import { findReplica } from '../../ucp/replica-containers.js';
import { signIn } from '../../ucp/session.js';
import {
  logReplica,
  readMountedTls,
  readVolume,
  readVolumes,
  tlsFromVolume,
  type UcpReplica,
} from './replica-files.js';
import type { JobContext } from '../job-context.js';

interface ReplicaFacts {
  readonly id: ReplicaId | undefined;
  readonly dtrVersion: DtrVersion;
  readonly certificates: readonly CertificateFile[];
  /** Of the certificates, where they were asked for. */
  readonly leftOut: readonly LeftOut[];
  /** Undefined in direct mode. */
  readonly ucp: UcpReplica | undefined;
}

/** A replica whose RethinkDB answers. Disposing closes and leaves everything that was opened or joined, in reverse. */
export interface ReachedReplica extends ReplicaFacts, AsyncDisposable {
  readonly session: RethinkSession;
  readonly rethinkdbVersion: string | undefined;
}

/** Where its RethinkDB is, and what a client needs. */
interface Target {
  readonly facts: ReplicaFacts;
  readonly address: RethinkdbAddress;
  readonly tls: TlsIdentity;
}

/** The overlay network that RethinkDB answers on, and the names of the replicas' databases there. */
const overlayNetwork = 'dtr-ol';
const overlayAddress = (id: ReplicaId): RethinkdbAddress => ({
  host: `dtr-rethinkdb-${id}.${overlayNetwork}`,
  port: defaultDriverPort,
});

/** Throws a JobError with exit code 2 to 7, or the signal's reason; nothing stays open or joined then. */
export function reachReplica(access: Access, withCertificates: boolean, context: JobContext): Promise<ReachedReplica> {
  return Cleanup.over(async (cleanup) => {
    const { facts, address, tls } =
      access.kind === 'direct'
        ? directTarget(access, withCertificates)
        : await ucpTarget({ ...access, withCertificates }, cleanup, context);
    const { security, rethinkdbUser: user, connectWindowMs, readTimeoutMs } = access;
    const tlsOptions =
      security.kind === 'tls'
        ? { tls, insecureSkipVerify: security.insecureSkipVerify, serverName: security.serverName }
        : { insecureSkipVerify: false };
    const options = { address, user, connectWindowMs, readTimeoutMs, ...tlsOptions };
    const session = cleanup.use(new RethinkSession(options, context));
    context.log.info(`Connecting to ${session.name}`);
    await session.connect();
    const rethinkdbVersion = await readServerVersion(session);
    context.log.info(`Connected to RethinkDB${rethinkdbVersion === undefined ? '' : ` ${rethinkdbVersion}`}`);
    for (const issue of await readCurrentIssues(session)) context.log.warn(`RethinkDB reports an issue: ${issue}`);
    return { ...facts, session, rethinkdbVersion, [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose]() };
  });
}

function directTarget(
  { replicaId: id, dtrVersion, address, security }: DirectAccess,
  withCertificates: boolean,
): Target {
  const why = "direct mode does not reach the replica's volumes";
  const leftOut = withCertificates ? [{ what: 'certificates', why }] : [];
  return {
    facts: { id, dtrVersion: assertKnown(dtrVersion), certificates: [], leftOut, ucp: undefined },
    address,
    tls: security.kind === 'tls' ? security.identity : {},
  };
}

async function ucpTarget(
  access: UcpAccess & { readonly withCertificates: boolean },
  cleanup: Cleanup,
  context: JobContext,
): Promise<Target> {
  const { security, withCertificates, connectWindowMs: retryWindowMs, readTimeoutMs: timeoutMs } = access;
  const docker = new DockerApi(cleanup.use(await signIn({ ...access.ucp, retryWindowMs, timeoutMs }, context)));
  const replica = await findReplica(docker, access.replicaId);
  const dtrVersion = assertKnown(access.dtrVersion ?? (await detectDtrVersion(docker, replica)));
  logReplica(replica, dtrVersion, context);

  const ucp = { docker, replica };
  const volumes = withCertificates ? await readVolumes(ucp, ['ca', 'notary'], context) : undefined;
  const { files: certificates = [], leftOut = [] } = volumes ?? {};
  const findFiles = async (): Promise<readonly CertificateFile[]> =>
    volumes?.files ?? (await readVolume(ucp, 'ca', context))?.files ?? [];
  const tls = security.kind === 'plaintext' ? {} : await findTls(security.identity, findFiles, context);
  if (tls === undefined) {
    const message = `volume dtr-ca-${replica.id} has no RethinkDB client certificate: give --rethinkdb-client-cert`;
    throw new JobError(ExitCode.replica, message);
  }
  if (access.address === undefined) {
    const containerId = await findOwnContainerId(context.hostName, context.readFile);
    cleanup.use(await joinOverlayNetwork(docker, { containerId, network: overlayNetwork }, context));
  }
  const facts = { id: replica.id, dtrVersion, certificates, leftOut, ucp };
  return { facts, address: access.address ?? overlayAddress(replica.id), tls };
}

function assertKnown(dtrVersion: DtrVersion | undefined): DtrVersion {
  if (dtrVersion !== undefined) return dtrVersion;
  throw new UsageError(['the version of DTR cannot be detected: give --dtr-version (DTR_VERSION)']);
}

/** What the operator gave comes first, then what is mounted at /ca, then what the replica's own volume holds. */
async function findTls(
  given: TlsIdentity,
  findFiles: () => Promise<readonly CertificateFile[]>,
  { readFile }: JobContext,
): Promise<TlsIdentity | undefined> {
  if (given.ca !== undefined && given.cert !== undefined) return given;
  const found = (await readMountedTls(readFile)) ?? tlsFromVolume(await findFiles());
  const { ca = found?.ca, cert = found?.cert, key = found?.key, passphrase } = given;
  return found && { ca, cert, key, passphrase };
}
