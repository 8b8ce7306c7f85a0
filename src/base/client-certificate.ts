/** The pair that a client shows in mutual TLS: checked before it is used, and a server's refusal of it explained. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { errorCode, errorText } from './errors.js';
import { printable } from './printable.js';
import type { Secret } from './secret.js';

/** As PEM text. */
export interface ClientPair {
  readonly cert?: string | undefined;
  readonly key?: Secret | undefined;
  /** Of the key, where it is encrypted. */
  readonly passphrase?: Secret | undefined;
}

interface PairCheck {
  readonly now: Date;
  /** Makes the error to throw. */
  readonly unusable: (file: 'client certificate' | 'client key', why: string) => Error;
  /** What to do about an encrypted key without a passphrase. */
  readonly passphraseAdvice: string;
}

/** Throws where the pair cannot open a connection. Node names no file when it connects, and a server may only close. */
export function assertClientPair({ cert, key, passphrase }: ClientPair, check: PairCheck): void {
  const { unusable, now } = check;
  const parsed = <T>(file: 'client certificate' | 'client key', parse: () => T): T => {
    try {
      return parse();
    } catch (error) {
      throw unusable(file, errorText(error));
    }
  };
  const certificate = cert === undefined ? undefined : parsed('client certificate', () => new X509Certificate(cert));
  const lapse = certificate && lapseAt(certificate, now);
  if (lapse !== undefined) throw unusable('client certificate', lapse);
  if (key === undefined) return;
  const pem = key.reveal();
  const privateKey = isEncrypted(pem)
    ? openKey(pem, { passphrase, check })
    : parsed('client key', () => createPrivateKey(pem));
  if (certificate !== undefined && !certificate.checkPrivateKey(privateKey)) {
    throw unusable('client key', 'it does not belong to the client certificate');
  }
}

function isEncrypted(pem: string): boolean {
  return /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(pem);
}

function openKey(
  pem: string,
  { passphrase, check }: Pick<ClientPair, 'passphrase'> & { readonly check: PairCheck },
): KeyObject {
  if (passphrase === undefined) throw check.unusable('client key', `it is encrypted: ${check.passphraseAdvice}`);
  try {
    return createPrivateKey({ key: pem, passphrase: passphrase.reveal() });
  } catch (error) {
    throw check.unusable('client key', `its passphrase does not open it (${errorText(error)})`);
  }
}

function lapseAt({ validFrom, validTo, subject }: X509Certificate, now: Date): string | undefined {
  const name = printable(subject);
  if (now > new Date(validTo)) return `it has expired on ${validTo} (${name})`;
  return now < new Date(validFrom) ? `it is not valid before ${validFrom} (${name})` : undefined;
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

/**
 * Why the server refuses the client's certificate, or a client without one; undefined where the error is no such alert.
 * Servers in Go before 1.21 answer a missing certificate with `bad_certificate`.
 */
export function clientCertificateAlert(error: unknown, isGiven: boolean): string | undefined {
  const name = alertName(error) ?? '';
  return alerts[name === 'BAD_CERTIFICATE' && !isGiven ? 'CERTIFICATE_REQUIRED' : name];
}

/** Those of `alerts` by their numbers. */
const alertNumbers: Readonly<Record<number, string>> = {
  40: 'HANDSHAKE_FAILURE',
  42: 'BAD_CERTIFICATE',
  43: 'UNSUPPORTED_CERTIFICATE',
  44: 'CERTIFICATE_REVOKED',
  45: 'CERTIFICATE_EXPIRED',
  46: 'CERTIFICATE_UNKNOWN',
  48: 'UNKNOWN_CA',
  49: 'ACCESS_DENIED',
  51: 'DECRYPT_ERROR',
  116: 'CERTIFICATE_REQUIRED',
};

/**
 * Node's error has a code such as ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED for an alert after the handshake (TLS 1.3).
 * For one in the midst of it (TLS 1.2) the code is EPROTO, and only the message has OpenSSL's number, `error:0A000410:`:
 * in hexadecimal, a library and 1000 more than the alert's number (SSL_AD_REASON_OFFSET).
 */
function alertName(error: unknown): string | undefined {
  const code = errorCode(error) ?? '';
  if (code !== 'EPROTO') return /ALERT_(?:NUMBER_)?(\w+)$/.exec(code)?.[1];
  const number = /\berror:[0-9A-F]{5}([0-9A-F]{3}):/.exec(errorText(error))?.[1];
  return number === undefined ? undefined : alertNumbers[Number.parseInt(number, 16) - 1000];
}
