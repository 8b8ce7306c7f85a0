/** The certificate files of an archive that is written: all of them checked before the first byte. */
import { createHash } from 'node:crypto';
import { JobError } from '../../base/errors.js';
import type { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import type { Certificate } from '../../model/manifest.js';
import { limits } from '../layout.js';
import { CertificatePaths } from './certificate-path.js';

/** A file of a replica's certificate volume; `path` begins with the volume: `ca/rethink/cert.pem`. */
export interface CertificateFile {
  readonly path: string;
  readonly body: Buffer;
}

export class CertificateSet {
  /** What the manifest says of them. */
  readonly described: readonly Certificate[];

  /** Throws a JobError with the exit code, which says where the files come from, for what no reader would take. */
  constructor(
    readonly files: readonly CertificateFile[],
    exitCode: ExitCode,
  ) {
    const fault = faultOf(files);
    if (fault !== undefined) throw new JobError(exitCode, fault);
    this.described = files.map(({ path, body }) => ({
      path,
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    }));
  }
}

function faultOf(files: readonly CertificateFile[]): string | undefined {
  const { certificates, certificateBytes, allCertificatesBytes } = limits;
  if (files.length > certificates)
    return `there are ${files.length} certificate files: an archive takes at most ${certificates}`;
  const paths = new CertificatePaths();
  let bytes = 0;
  for (const { path, body } of files) {
    const fault = paths.add(path, false);
    if (fault !== undefined) return `certificate file ${printable(path)} ${fault}: an archive does not take it`;
    if (body.length > certificateBytes)
      return `certificate file ${printable(path)} has ${body.length} bytes: an archive takes at most ${certificateBytes}`;
    bytes += body.length;
  }
  if (bytes > allCertificatesBytes)
    return `the certificate files have ${bytes} bytes together: an archive takes at most ${allCertificatesBytes}`;
  const conflict = paths.conflict();
  return conflict === undefined ? undefined : `certificate file ${printable(conflict)} has others below it`;
}
