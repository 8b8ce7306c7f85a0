/**
 * The certificate files of an archive: their paths, what they hold, and the limits of all together. One rule for paths: when
 * a volume is read, when an entry is written, when an archive is read, and when files are written back. What a Linux file
 * system holds and UTF-8 can name is kept as it is: backslashes, blanks, control characters.
 */
import { X509Certificate, createHash } from 'node:crypto';
import { JobError } from '../../base/errors.js';
import type { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import type { Certificate } from '../../model/manifest.js';
import { limits } from '../layout.js';

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

/** The paths of one archive or volume, among which there must be no conflict. */
export class CertificatePaths {
  readonly #files = new Set<string>();
  readonly #directories = new Set<string>();

  /** Adds a path without a slash at its end. Gives what is wrong with it, in words; then it is not added. */
  add(path: string, isDirectory: boolean): string | undefined {
    const fault = certificatePathFault(path);
    if (fault !== undefined) return fault;
    if (isDirectory) this.#directories.add(path);
    else if (this.#files.has(path)) return 'occurs twice';
    else this.#files.add(path);
    return undefined;
  }

  /** A file that has others below it, or is a directory as well; undefined where there is none. */
  conflict(): string | undefined {
    const paths = [...this.#files, ...[...this.#directories].map((path) => `${path}/.`)];
    // NUL, which no path has, sorts first: with it for the slash, what is below a path follows it directly.
    const sorted = paths.map((path) => path.replaceAll('/', '\0')).sort();
    const index = sorted.findIndex((path, at) => sorted[at + 1]?.startsWith(`${path}\0`));
    return sorted[index]?.replaceAll('\0', '/');
  }
}

/** What a certificate file holds, for people. */
export interface CertificateSummary {
  /** Of the first certificate in the file, on one line; absent where the file holds none that can be read. */
  readonly subject?: string;
  /** ISO 8601, UTC. */
  readonly expiresAt?: string;
  readonly hasPrivateKey: boolean;
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Never throws: volumes hold other files, too. */
export function summarizeCertificateFile(body: Buffer): CertificateSummary {
  const text = body.toString('latin1');
  const hasPrivateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
  const [pem] = text.match(pemCertificate) ?? [];
  if (pem === undefined) return { hasPrivateKey };
  try {
    const { subject, validTo } = new X509Certificate(pem);
    // OpenSSL gives an empty subject as undefined, whatever the types say.
    const onOneLine = ((subject as string | undefined) ?? '').split('\n').join(', ');
    return { subject: onOneLine, expiresAt: new Date(validTo).toISOString(), hasPrivateKey };
  } catch {
    return { hasPrivateKey };
  }
}

/**
 * The earliest end (`notAfter`) of all certificates in these files, bundles and DER included; undefined where there is none.
 * Never throws: what cannot be read as a certificate is passed over.
 */
export function oldestExpiry(files: Iterable<Buffer>): Date | undefined {
  let oldest = Infinity;
  for (const body of files) {
    for (const encoded of certificatesIn(body)) oldest = Math.min(oldest, endOf(encoded) ?? Infinity);
  }
  return oldest === Infinity ? undefined : new Date(oldest);
}

/** The first byte of every certificate in DER. */
const derSequence = 0x30;

function* certificatesIn(body: Buffer): Generator<string | Buffer, void, undefined> {
  if (body[0] === derSequence) yield body;
  for (const [pem] of body.toString('latin1').matchAll(pemCertificate)) yield pem;
}

function endOf(encoded: string | Buffer): number | undefined {
  try {
    const end = Date.parse(new X509Certificate(encoded).validTo);
    return Number.isNaN(end) ? undefined : end;
  } catch {
    return undefined;
  }
}

/** A file of a replica's certificate volume; `path` begins with the volume: `ca/rethink/cert.pem`. */
export interface CertificateFile {
  readonly path: string;
  readonly body: Buffer;
}

/** A copy that outlives the reader of an archive, which uses its buffers again; the reader limits the bytes of all. */
export function keptCertificate({ path, body }: CertificateFile): CertificateFile {
  return { path, body: Buffer.from(body) };
}

/** The certificate files of an archive that is written: all of them checked before the first byte. */
export class CertificateSet {
  /** As the manifest describes them. */
  readonly described: readonly Certificate[];

  /** Throws a JobError with this exit code, which says where the files come from, for what a reader would refuse. */
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
