/** Writes an archive's certificate files back into the replica's volumes dtr-ca and dtr-notary. Only when asked to. */
import { packFiles, readFileTree, type FileOwnership } from '../archive/tar/file-tree.js';
import type { CertificateFile } from '../archive/writer.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { printable } from '../model/finding.js';
import type { CertificateVolumeName } from '../ucp/replica-names.js';
import { locateVolume } from '../ucp/replica-volume.js';
import type { Replica } from './replica.js';
import type { RestoreRecord } from './restore-record.js';
import type { World } from './world.js';

const volumes: readonly CertificateVolumeName[] = ['ca', 'notary'];

/** A new file may hold a key. */
const newFile: FileOwnership = { mode: 0o600, uid: 0, gid: 0 };

/**
 * Writes the files that are new or differ; one that is there keeps its mode and owner, and what the archive does not
 * have stays. The archive must have been verified. Throws a JobError with exit code 4, 5 or 9; 5 also
 * where what is read back is not what was written.
 */
export async function writeCertificates(
  { ucp, id }: Pick<Replica, 'ucp' | 'id'>,
  files: readonly CertificateFile[],
  record: Pick<RestoreRecord, 'writtenCertificates'>,
  { log }: Pick<World, 'log'>,
): Promise<void> {
  if (ucp === undefined) throw new TypeError('certificates need UCP');
  for (const { path } of files) demandHarmless(path);
  for (const volume of volumes) {
    const wanted = files.flatMap(({ path, body }) =>
      path.startsWith(`${volume}/`) ? [{ path: path.slice(volume.length + 1), body }] : [],
    );
    if (wanted.length === 0) continue;
    const place = await locateVolume(ucp.docker, ucp.replica, volume);
    const tar = place && (await ucp.docker.readArchive(place.container.id, place.path));
    if (place === undefined || tar === undefined) {
      throw new JobError(ExitCode.replica, `no container of the replica has volume dtr-${volume}-${id ?? ''}`);
    }
    const present = new Map((await readFileTree(tar)).files.map((file) => [file.path, file]));
    const differing = wanted.filter(({ path, body }) => present.get(path)?.body.equals(body) !== true);
    log.info(`Volume dtr-${volume}: ${differing.length} of ${wanted.length} certificate files differ from the archive`);
    if (differing.length === 0) continue;
    const packed = differing.map((file) => ({ ...file, ...(present.get(file.path)?.ownership ?? newFile) }));
    await ucp.docker.writeArchive(place.container.id, place.path, await packFiles(packed));
    record.writtenCertificates.push(...differing.map(({ path }) => `${volume}/${path}`));
    const after = await ucp.docker.readArchive(place.container.id, place.path);
    const written = new Map(after && (await readFileTree(after)).files.map(({ path, body }) => [path, body]));
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
 * Each name on the way is a plain one. The reader has found everything else already; but these are the only names out
 * of an archive that anything is ever written to, so nobody else's word is taken for it.
 */
function demandHarmless(path: string): void {
  const [, ...names] = path.split('/');
  const isHarmless = names.every((name) => name !== '' && name !== '.' && name !== '..' && !/[\p{Cc}\\]/u.test(name));
  if (isHarmless && names.length > 0 && path.length < 1000) return;
  throw new JobError(ExitCode.archiveInvalid, `certificate file ${printable(path)} has a name that is never written`);
}
