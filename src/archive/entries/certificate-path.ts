/**
 * Which paths certificate files may have. The one rule for all of them: when a volume is read, when an entry is written,
 * when an archive is read, and when files are written back. What a Linux file system holds and UTF-8 can name is kept as
 * it is: backslashes, blanks, control characters.
 */

/** Of a path below `certs/`, which begins with the volume, and of each name in it (NAME_MAX of Linux). */
const maxPathBytes = 1000;
const maxNameBytes = 255;

/** What is wrong with a path below `certs/`, in words; undefined where nothing is. */
export function certificatePathFault(path: string): string | undefined {
  if (Buffer.byteLength(path) > maxPathBytes) return `is longer than ${maxPathBytes} bytes`;
  if (path.includes('\0')) return 'has a NUL in it';
  if (Buffer.from(path).toString() !== path) return 'is not UTF-8';
  for (const name of path.split('/')) {
    if (name === '') return 'has an empty name in it';
    if (name === '.' || name === '..') return `has the name ${name} in it`;
    if (Buffer.byteLength(name) > maxNameBytes) return `has a name of more than ${maxNameBytes} bytes in it`;
  }
  return undefined;
}

/** Those of one archive or volume, in which no two may be in each other's way. */
export class CertificatePaths {
  readonly #files = new Set<string>();
  readonly #directories = new Set<string>();

  /** What is wrong with one more, in words; it does not count then. Paths have no slash at their end. */
  add(path: string, isDirectory: boolean): string | undefined {
    const fault = certificatePathFault(path);
    if (fault !== undefined) return fault;
    if (isDirectory) this.#directories.add(path);
    else if (this.#files.has(path)) return 'stands twice';
    else this.#files.add(path);
    return undefined;
  }

  /** A file that has others below it, or is a directory as well; undefined where there is none. */
  conflict(): string | undefined {
    const paths = [...this.#files, ...[...this.#directories].map((path) => `${path}/.`)];
    // With NUL for the slash, which no path has, what lies below a path follows it directly.
    const sorted = paths.map((path) => path.replaceAll('/', '\0')).sort();
    const index = sorted.findIndex((path, at) => sorted[at + 1]?.startsWith(`${path}\0`));
    return sorted[index]?.replaceAll('\0', '/');
  }
}
