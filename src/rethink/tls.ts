/** TLS to RethinkDB: what the files of a client are good for, and what a server says of them. */
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
  if (certificate !== undefined) assertValidNow(certificate, now);
  if (key === undefined) return;
  const privateKey = openKey(key.reveal(), passphrase?.reveal());
  if (certificate !== undefined && !certificate.checkPrivateKey(privateKey)) {
    throw unusable('client key', 'it does not belong to the client certificate');
  }
}

function openKey(pem: string, passphrase: string | undefined): KeyObject {
  const isEncrypted = /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (!isEncrypted) return parsed('client key', () => createPrivateKey(pem));
  if (passphrase === undefined) {
    const settings = 'MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE, or a file named by MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE_FILE';
    throw unusable('client key', `it is encrypted: give its passphrase in ${settings}`);
  }
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch (error) {
    throw unusable('client key', `its passphrase does not open it (${errorText(error)})`);
  }
}

function assertValidNow({ validFrom, validTo, subject }: X509Certificate, now: Date): void {
  const name = printable(subject);
  if (now > new Date(validTo)) throw unusable('client certificate', `it has expired on ${validTo} (${name})`);
  if (now < new Date(validFrom)) throw unusable('client certificate', `it is not valid before ${validFrom} (${name})`);
}

function parsed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw unusable(name, errorText(error));
  }
}

function unusable(name: string, why: string): JobError {
  return new JobError(ExitCode.rethinkdb, `the ${name} for RethinkDB cannot be used: ${why}`);
}

const otherPair = 'give another pair with --rethinkdb-client-cert and --rethinkdb-client-key';
const aPair = 'give a pair with --rethinkdb-client-cert and --rethinkdb-client-key';

/** TLS alerts (RFC 8446, section 6) that speak of the client's certificate, by the end of OpenSSL's name for them. */
const alerts: Readonly<Record<string, string>> = {
  ACCESS_DENIED: `it denies access to the client certificate: ${otherPair}`,
  BAD_CERTIFICATE: `it does not accept the client certificate: ${otherPair}`,
  CERTIFICATE_EXPIRED: `to its clock the client certificate has expired or is not valid yet: ${otherPair}`,
  CERTIFICATE_REQUIRED: `it wants a client certificate: ${aPair}`,
  CERTIFICATE_REVOKED: `the client certificate has been revoked: ${otherPair}`,
  CERTIFICATE_UNKNOWN: `it does not accept the client certificate: ${otherPair}`,
  DECRYPT_ERROR: `it does not accept the client certificate: ${otherPair}`,
  HANDSHAKE_FAILURE: `it wants a client certificate, or TLS of another version: ${aPair}`,
  UNKNOWN_CA: `it does not know the authority of the client certificate: ${otherPair}`,
  UNSUPPORTED_CERTIFICATE: `it does not take client certificates of this kind: ${otherPair}`,
};

/**
 * What the server says of the client's certificate, where the error is such an alert. With TLS 1.3 it comes after the
 * handshake, when the client takes the connection for open.
 */
export function certificateRefusal(error: unknown): string | undefined {
  const [, alert = ''] = /ALERT_(?:NUMBER_)?(\w+)$/.exec(errorCode(error) ?? '') ?? [];
  return alerts[alert];
}
