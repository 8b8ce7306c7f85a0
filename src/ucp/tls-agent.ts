/** The TLS side of the connection to UCP: which certificates are accepted. */
import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { UsageError } from '../base/errors.js';

export interface UcpTls {
  /** PEM text: the only authorities that are trusted. Without it, those that Node brings along. */
  readonly ca?: string | undefined;
  /** Accepts any certificate. */
  readonly insecureTls: boolean;
}

/** Throws a UsageError where `ca` holds no certificate: TLS itself would take it silently for "trust nobody". */
export function createTlsAgent({ ca, insecureTls }: UcpTls): Agent {
  if (ca !== undefined) checkCertificate(ca);
  // A connection for each call: kept ones die unseen between two calls that may lie hours apart.
  return new Agent({ keepAlive: false, rejectUnauthorized: !insecureTls, ...(ca !== undefined && { ca }) });
}

function checkCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw new UsageError(['--ucp-ca (UCP_CA): not a certificate in PEM']);
  }
}
