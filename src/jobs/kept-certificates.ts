/** Certificate files of an archive, held in memory until they can be written: the reader limits how much that is. */
import type { CertificateFile } from '../archive/entries/certificates.js';

export class KeptCertificates {
  readonly files: CertificateFile[] = [];

  add({ path, body }: CertificateFile): void {
    // The reader uses its buffers again.
    this.files.push({ path, body: Buffer.from(body) });
  }
}
