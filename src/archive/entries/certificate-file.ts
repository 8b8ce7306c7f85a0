/** What a certificate file holds, for people: whose certificates, until when, and whether keys are beside them. */
import { X509Certificate } from 'node:crypto';

export interface CertificateSummary {
  /** Of the first certificate in the file, on one line; absent where the file holds none that can be read. */
  readonly subject?: string;
  /** ISO 8601, UTC. */
  readonly expiresAt?: string;
  readonly hasPrivateKey: boolean;
}

/** Never throws: volumes hold other files, too. */
export function summarizeCertificateFile(body: Buffer): CertificateSummary {
  const text = body.toString('latin1');
  const hasPrivateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0];
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
