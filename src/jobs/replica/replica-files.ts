/** The files of a replica's certificate volumes, read into memory: for the archive, and for TLS to its RethinkDB. */
import { readFileTree, type FileTree } from '../../archive/tar/file-tree.js';
import type { CertificateFile } from '../../archive/entries/certificates.js';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { Secret } from '../../base/secret.js';
import { printable } from '../../base/printable.js';
import type { DtrVersion } from '../../model/dtr-version.js';
import type { LeftOut } from '../../model/manifest.js';
import type { TlsIdentity } from '../../model/replica-access.js';
import type { DockerApi } from '../../ucp/docker-api.js';
import { listContainers, type ReplicaContainers } from '../../ucp/replica-containers.js';
import { openVolume, type CertificateVolumeName, type VolumePlace } from '../../ucp/replica-volume.js';
import type { JobContext } from '../job-context.js';

/** A replica's containers, and the API that reaches them. */
export interface UcpReplica {
  readonly docker: DockerApi;
  readonly replica: ReplicaContainers;
}

/** Says which replica is used, and which containers with names of its own are not. */
export function logReplica(
  { id, leftovers }: ReplicaContainers,
  dtrVersion: DtrVersion | undefined,
  { log }: Pick<JobContext, 'log'>,
): void {
  log.info(`Using replica ${id} of DTR ${dtrVersion ?? 'of unknown version'}`);
  if (leftovers.length === 0) return;
  log.warn(`Not used, since they are stopped and on other nodes than the replica's: ${listContainers(leftovers)}`);
}

interface VolumeFiles {
  /** By volume and path: `ca/rethink/cert.pem`. */
  readonly files: readonly CertificateFile[];
  /** Volumes that no container mounts, and entries without a content of their own. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * Reads whole volumes through the replica's containers. Throws a JobError: with exit code 4 when one breaks off, 5 for
 * a name or a link that an archive cannot keep.
 */
export async function readVolumes(
  ucp: UcpReplica,
  volumes: readonly CertificateVolumeName[],
  context: Pick<JobContext, 'log' | 'clock'>,
): Promise<VolumeFiles> {
  const { log } = context;
  const files: CertificateFile[] = [];
  const leftOut: LeftOut[] = [];
  for (const volume of volumes) {
    const content = await readVolume(ucp, volume, context);
    if (content === undefined) {
      leftOut.push({ what: `volume dtr-${volume}-${ucp.replica.id}`, why: 'no container of the replica mounts it' });
      continue;
    }
    const { outside, skipped, followed } = content.tree;
    const inArchive = (path: string): string => printable(`certs/${volume}/${path}`);
    const [lost] = outside;
    if (lost !== undefined) {
      const more = outside.length === 1 ? '' : ` (and ${outside.length - 1} more)`;
      const advice = 'put the file itself there, or leave out all certificates (--no-certificates)';
      const message = `${inArchive(lost.path)} ${lost.why}${more}: its content would not be in the backup; ${advice}`;
      throw new JobError(ExitCode.replica, message);
    }
    files.push(...content.files);
    leftOut.push(...skipped.map(({ path, why }) => ({ what: inArchive(path), why })));
    for (const { path, why } of followed) log.info(`Kept as a file: ${inArchive(path)} (${printable(why)})`);
  }
  for (const { what, why } of leftOut) log.warn(`Left out of the certificates: ${what} (${why})`);
  return { files, leftOut };
}

export interface VolumeContent {
  readonly tree: FileTree;
  /** Of the tree, by volume and path. */
  readonly files: readonly CertificateFile[];
  readonly place: VolumePlace;
}

/** Undefined where no container has the volume. Throws as `readVolumes`, but not for links that lead out of the volume. */
export async function readVolume(
  { docker, replica }: UcpReplica,
  volume: CertificateVolumeName,
  { clock }: Pick<JobContext, 'clock'>,
): Promise<VolumeContent | undefined> {
  const place = await openVolume(docker, replica, volume);
  if (place === undefined) return undefined;
  const options = { directory: place.path, volume, monotonicMs: () => clock.monotonicMs() };
  const tree = await readFileTree(place.tar, options).catch((error: unknown) => {
    const name = `volume dtr-${volume}-${replica.id}`;
    if (!(error instanceof JobError)) {
      const message = `cannot read ${name} through UCP: ${errorText(error)}`;
      throw new JobError(ExitCode.ucpUnreachable, message, { cause: error });
    }
    throw error.exitCode === ExitCode.replica ? new JobError(ExitCode.replica, `${name}: ${error.message}`) : error;
  });
  const files = tree.files.map(({ path, body }) => ({ path: `${volume}/${path}`, body }));
  return { tree, files, place };
}

/** Where the volume dtr-ca keeps what a RethinkDB client needs (DTR's own containers mount it at /ca). */
const tlsPaths = { ca: 'rethink/cert.pem', cert: 'rethink-client/cert.pem', key: 'rethink-client/key.pem' };

/** The TLS identity among the files of volume dtr-ca; undefined where one of its three files is missing. */
export function tlsFromVolume(files: readonly CertificateFile[]): TlsIdentity | undefined {
  const find = (path: string): string | undefined =>
    files.find((file) => file.path === `ca/${path}`)?.body.toString('utf8');
  return tlsIdentity(find(tlsPaths.ca), find(tlsPaths.cert), find(tlsPaths.key));
}

/** The TLS identity of a volume dtr-ca that is mounted into this container at /ca; undefined without such a mount. */
export async function readMountedTls(readFile: (path: string) => Promise<string>): Promise<TlsIdentity | undefined> {
  const find = (path: string): Promise<string | undefined> => readFile(`/ca/${path}`).catch(() => undefined);
  return tlsIdentity(await find(tlsPaths.ca), await find(tlsPaths.cert), await find(tlsPaths.key));
}

function tlsIdentity(ca?: string, cert?: string, key?: string): TlsIdentity | undefined {
  if (ca === undefined || cert === undefined || key === undefined) return undefined;
  return { ca, cert, key: new Secret(key) };
}
