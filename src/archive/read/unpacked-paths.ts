/**
 * Paths that a tar program cannot unpack side by side, or unpacks as something else than what is read here: a certificate
 * twice, a directory in the place of a document.
 */
import { CertificatePaths } from '../entries/certificates.js';
import { placeOf } from '../layout.js';

const certificates = 'certs/';

export class UnpackedPaths {
  readonly #certificates = new CertificatePaths();

  /** What is wrong with an entry's path, in words; it begins below the root and has no slash at its end. */
  add(path: string, isDirectory: boolean): string | undefined {
    if (path.startsWith(certificates)) return this.#certificates.add(path.slice(certificates.length), isDirectory);
    if (placeOf(path, isDirectory) !== undefined) return undefined;
    if (placeOf(path, !isDirectory) !== undefined)
      return isDirectory ? 'is a directory where a file belongs' : 'is a file where a directory belongs';
    const parts = path.split('/').slice(0, 4);
    const isBelowFile = parts.some((_part, index) => placeOf(parts.slice(0, index).join('/'), false) !== undefined);
    return isBelowFile ? 'is below a file' : undefined;
  }

  /** A certificate file that has others below it; undefined where there is none. */
  conflict(): string | undefined {
    return this.#certificates.conflict();
  }
}
