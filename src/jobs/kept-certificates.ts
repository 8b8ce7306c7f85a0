/** Certificate files of an archive, held in memory until they can be written. */
import type { CertificateFile } from '../archive/writer.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';

/** A replica has some dozens of a few kB. */
const mostBytes = 64 * 1024 * 1024;

export class KeptCertificates {
  readonly files: CertificateFile[] = [];
  #bytes = 0;

  /** Throws a JobError with exit code 9 when there are more than any replica has. */
  add({ path, body }: CertificateFile): void {
    this.#bytes += body.length;
    if (this.#bytes > mostBytes) {
      const message = `the archive has more than ${mostBytes} bytes of certificate files: no replica has that`;
      throw new JobError(ExitCode.archiveInvalid, message);
    }
    // The reader uses its buffers again.
    this.files.push({ path, body: Buffer.from(body) });
  }
}
