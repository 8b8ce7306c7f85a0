/** The files of a replica's certificate volumes, read into memory: for the archive, and for TLS to its RethinkDB. */
import { readFileTree } from '../archive/tar/file-tree.js';
import type { CertificateFile } from '../archive/writer.js';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { Secret } from '../base/secret.js';
import type { LeftOut } from '../model/manifest.js';
import type { TlsIdentity } from '../model/tls-identity.js';
import type { DockerApi } from '../ucp/docker-api.js';
import { openVolume } from '../ucp/replica-volume.js';
import type { Replica } from '../ucp/replica.js';

export interface VolumeFiles {
  /** By volume and path: `ca/rethink/cert.pem`. */
  readonly files: readonly CertificateFile[];
  /** Volumes that are not there, and entries that are no regular files. */
  readonly leftOut: readonly LeftOut[];
}

/** Reads whole volumes through the replica's containers. Throws a JobError with exit code 4 when one breaks off. */
export async function readVolumes(
  docker: DockerApi,
  replica: Replica,
  volumes: readonly ('ca' | 'notary')[],
  log: Log,
): Promise<VolumeFiles> {
  const files: CertificateFile[] = [];
  const leftOut: LeftOut[] = [];
  for (const volume of volumes) {
    const name = `dtr-${volume}-${replica.id}`;
    const tar = await openVolume(docker, replica, volume);
    if (tar === undefined) {
      leftOut.push({ what: `volume ${name}`, why: 'no container of the replica mounts it' });
      continue;
    }
    const tree = await readFileTree(tar).catch((error: unknown) => {
      if (error instanceof JobError) throw error;
      throw new JobError(ExitCode.ucpUnreachable, `cannot read volume ${name} through UCP: ${errorText(error)}`, {
        cause: error,
      });
    });
    files.push(...tree.files.map(({ path, body }) => ({ path: `${volume}/${path}`, body })));
    leftOut.push(...tree.skipped.map((path) => ({ what: `certs/${volume}/${path}`, why: 'not a regular file' })));
  }
  for (const { what, why } of leftOut) log.warn(`Left out of the certificates: ${what} (${why})`);
  return { files, leftOut };
}

/** Where the volume dtr-ca keeps what a RethinkDB client needs (DTR's own containers mount it at /ca). */
const tlsPaths = { ca: 'rethink/cert.pem', cert: 'rethink-client/cert.pem', key: 'rethink-client/key.pem' };

/** The TLS identity among the files of volume dtr-ca; undefined where one of its three files is missing. */
export function tlsFromVolume(files: readonly CertificateFile[]): TlsIdentity | undefined {
  const find = (path: string): string | undefined =>
    files.find((file) => file.path === `ca/${path}`)?.body.toString('utf8');
  return tlsIdentity(find(tlsPaths.ca), find(tlsPaths.cert), find(tlsPaths.key));
}

/** The TLS identity of a volume dtr-ca that is mounted into this container at /ca; undefined where none is. */
export async function readMountedTls(readFile: (path: string) => Promise<string>): Promise<TlsIdentity | undefined> {
  const find = (path: string): Promise<string | undefined> => readFile(`/ca/${path}`).catch(() => undefined);
  return tlsIdentity(await find(tlsPaths.ca), await find(tlsPaths.cert), await find(tlsPaths.key));
}

function tlsIdentity(ca?: string, cert?: string, key?: string): TlsIdentity | undefined {
  if (ca === undefined || cert === undefined || key === undefined) return undefined;
  return { ca, cert, key: new Secret(key) };
}
