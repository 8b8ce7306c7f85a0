/** TLS to RethinkDB: checks a client's files before connecting, and which names a server's certificate may have. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions, type PeerCertificate } from 'node:tls';
import { assertClientPair } from '../base/client-certificate.js';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { printable } from '../base/printable.js';
import type { TlsIdentity } from '../model/replica-access.js';

/**
 * Throws a JobError with exit code 7 where the files cannot open a connection: Node names none of them when it connects,
 * and a server that refuses them may only close the connection.
 */
export function assertIdentity({ ca, ...pair }: TlsIdentity, now: Date): void {
  try {
    if (ca !== undefined) new X509Certificate(ca);
  } catch (error) {
    throw unusableError('CA certificates', errorText(error));
  }
  const settings = 'MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE, or a file named by MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE_FILE';
  assertClientPair(pair, { now, unusable: unusableError, passphraseAdvice: `give its passphrase in ${settings}` });
}

function unusableError(name: string, why: string): JobError {
  return new JobError(ExitCode.rethinkdb, `the ${name} for RethinkDB cannot be used: ${why}`);
}

/** The server's certificate is for other names than the expected one. */
export class ServerNameError extends Error {
  override readonly name = 'ServerNameError';
}

/**
 * The options of `tls.connect` that decide which server certificates are accepted. What is trusted need not be an
 * authority: in a replica, `rethink/cert.pem` is the CA file and RethinkDB's own certificate as well.
 */
export function trustOptions(ca: string | undefined, expectedName: string): ConnectionOptions {
  return {
    ca,
    allowPartialTrustChain: true,
    // An address is no name that TLS may send (RFC 6066, section 3).
    ...(isIP(expectedName) === 0 && { servername: expectedName }),
    checkServerIdentity: (_host, certificate) => serverNameFault(expectedName, certificate),
  };
}

/**
 * As Node checks it, but `*.dtr-ol` stands for the names of the overlay network: Node refuses a wildcard before the last
 * label of a name, since that could be a public domain.
 */
export function serverNameFault(expectedName: string, certificate: PeerCertificate): ServerNameError | undefined {
  const { subject, subjectaltname: altNames = '' } = certificate;
  if (checkServerIdentity(expectedName, certificate) === undefined) return undefined;
  const [commonName = ''] = [subject.CN ?? ''].flat();
  const names = altNames === '' ? [commonName] : altNames.split(', ');
  const isOnOverlay = /^[^.]+\.dtr-ol$/i.test(expectedName);
  if (isOnOverlay && names.some((name) => /^(?:DNS:)?\*\.dtr-ol$/i.test(name))) return undefined;
  const has = printable(names.map((name) => name.replace(/^(?:DNS|IP Address):/, '')).join(', '));
  const remedies =
    'give a name it has with --rethinkdb-server-name, or skip the check with --rethinkdb-insecure-skip-verify';
  return new ServerNameError(`a certificate for ${has || 'no name'}, not for ${expectedName}: ${remedies}`);
}
