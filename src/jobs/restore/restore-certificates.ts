/** Writes an archive's certificate files back into the replica's volumes dtr-ca and dtr-notary. Only when asked to. */
import { certificatePathFault, type CertificateFile } from '../../archive/entries/certificates.js';
import { packFiles, type FileOwnership } from '../../archive/tar/file-tree.js';
import { JobError, UsageError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import type { CertificateVolumeName } from '../../ucp/replica-volume.js';
import { readVolume } from '../replica/replica-files.js';
import type { ReachedReplica } from '../replica/replica.js';
import type { RestoreRecord } from './restore-record.js';
import type { JobContext } from '../job-context.js';

const volumes: readonly CertificateVolumeName[] = ['ca', 'notary'];

/** A new file may hold a key. */
const newFile: FileOwnership = { mode: 0o600, uid: 0, gid: 0 };

interface CertificateContext {
  /** Gets the files that were written. */
  readonly record: Pick<RestoreRecord, 'writtenCertificates'>;
  readonly context: Pick<JobContext, 'log' | 'clock'>;
}

/**
 * Writes the files that are new or differ; one that is there keeps its mode and owner, and what the archive does not
 * have stays. The archive must have been verified. Throws a JobError with exit code 4, 5 or 9; 5 also
 * where what is read back is not what was written.
 */
export async function writeCertificates(
  files: readonly CertificateFile[],
  { ucp, id }: Pick<ReachedReplica, 'ucp' | 'id'>,
  { record, context: { log, clock } }: CertificateContext,
): Promise<void> {
  if (ucp === undefined) throw new UsageError(['--certificates needs UCP: without it the volumes cannot be reached']);
  for (const { path } of files) assertKeepable(path);
  for (const volume of volumes) {
    const wanted = files.flatMap(({ path, body }) =>
      path.startsWith(`${volume}/`) ? [{ path: path.slice(volume.length + 1), body }] : [],
    );
    if (wanted.length === 0) continue;
    const found = await readVolume(ucp, volume, { clock });
    if (found === undefined) {
      throw new JobError(ExitCode.replica, `no container of the replica has volume dtr-${volume}-${id ?? ''}`);
    }
    const present = new Map(found.tree.files.map((file) => [file.path, file]));
    const differing = wanted.filter(({ path, body }) => present.get(path)?.body.equals(body) !== true);
    log.info(`Volume dtr-${volume}: ${differing.length} of ${wanted.length} certificate files differ from the archive`);
    if (differing.length === 0) continue;
    const { container, path: directory } = found.place;
    const packed = differing.map((file) => ({ ...file, ...(present.get(file.path)?.ownership ?? newFile) }));
    await ucp.docker.writeArchive(container.id, directory, packFiles(packed, clock.now()));
    record.writtenCertificates.push(...differing.map(({ path }) => `${volume}/${path}`));
    const after = await readVolume(ucp, volume, { clock });
    const written = new Map(after?.tree.files.map(({ path, body }) => [path, body]));
    const wrong = differing.filter(({ path, body }) => written.get(path)?.equals(body) !== true);
    if (wrong.length > 0) {
      const paths = wrong.map(({ path }) => printable(`${volume}/${path}`)).join(', ');
      throw new JobError(ExitCode.replica, `certificate files were written, but read back otherwise: ${paths}`);
    }
  }
  if (record.writtenCertificates.length === 0) return;
  log.warn("Certificate files were written: restart the replica's containers, which still use those they started with");
}

/**
 * The reader has checked the paths already. They are checked again as no other names of an archive are ever written to.
 */
function assertKeepable(path: string): void {
  const fault = certificatePathFault(path);
  if (fault === undefined && path.includes('/')) return;
  const message = `certificate file ${printable(path)} ${fault ?? 'is in no volume'}: it is never written`;
  throw new JobError(ExitCode.archiveInvalid, message);
}
