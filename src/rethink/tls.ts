/** TLS to RethinkDB: checks a client's files before connecting, and explains why a server refuses them. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { printable } from '../base/printable.js';
import type { TlsIdentity } from '../model/replica-access.js';

/**
 * Throws a JobError with exit code 7 where the files cannot open a connection: Node names none of them when it connects,
 * and a server that refuses them may only close the connection.
 */
export function assertIdentity({ ca, cert, key, passphrase }: TlsIdentity, now: Date): void {
  if (ca !== undefined) parsed('CA certificates', () => new X509Certificate(ca));
  const certificate = cert === undefined ? undefined : parsed('client certificate', () => new X509Certificate(cert));
  if (certificate !== undefined) assertValidAt(certificate, now);
  if (key === undefined) return;
  const privateKey = openKey(key.reveal(), passphrase?.reveal());
  if (certificate !== undefined && !certificate.checkPrivateKey(privateKey)) {
    throw unusableError('client key', 'it does not belong to the client certificate');
  }
}

function openKey(pem: string, passphrase: string | undefined): KeyObject {
  const isEncrypted = /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (!isEncrypted) return parsed('client key', () => createPrivateKey(pem));
  if (passphrase === undefined) {
    const settings = 'MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE, or a file named by MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE_FILE';
    throw unusableError('client key', `it is encrypted: give its passphrase in ${settings}`);
  }
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch (error) {
    throw unusableError('client key', `its passphrase does not open it (${errorText(error)})`);
  }
}

function assertValidAt({ validFrom, validTo, subject }: X509Certificate, now: Date): void {
  const name = printable(subject);
  if (now > new Date(validTo)) throw unusableError('client certificate', `it has expired on ${validTo} (${name})`);
  if (now < new Date(validFrom)) {
    throw unusableError('client certificate', `it is not valid before ${validFrom} (${name})`);
  }
}

function parsed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw unusableError(name, errorText(error));
  }
}

function unusableError(name: string, why: string): JobError {
  return new JobError(ExitCode.rethinkdb, `the ${name} for RethinkDB cannot be used: ${why}`);
}

/** TLS alerts (RFC 8446, section 6) about the client's certificate, by the end of OpenSSL's name for them. */
const alerts: Readonly<Record<string, string>> = {
  ACCESS_DENIED: 'it denies access to the client certificate',
  BAD_CERTIFICATE: 'it does not accept the client certificate',
  CERTIFICATE_EXPIRED: 'by its clock the client certificate has expired or is not valid yet',
  CERTIFICATE_REQUIRED: 'it requires a client certificate',
  CERTIFICATE_REVOKED: 'the client certificate has been revoked',
  CERTIFICATE_UNKNOWN: 'it does not accept the client certificate',
  DECRYPT_ERROR: 'it does not accept the client certificate',
  HANDSHAKE_FAILURE: 'it requires a client certificate, or TLS of another version',
  UNKNOWN_CA: 'it does not know the authority of the client certificate',
  UNSUPPORTED_CERTIFICATE: 'it does not accept client certificates of this kind',
};

/** Why the server refuses the client's certificate, and what to do; undefined where the error is no such alert. */
export function certificateRefusal(error: unknown): string | undefined {
  const alert = alerts[/ALERT_(?:NUMBER_)?(\w+)$/.exec(errorCode(error) ?? '')?.[1] ?? ''];
  return alert && `${alert}: give another pair with --rethinkdb-client-cert and --rethinkdb-client-key`;
}
