/** Certificates made at run time: an authority of our own, and whatever it issues, expired and foreign ones too. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import forge from 'node-forge';

const dayMs = 24 * 60 * 60 * 1000;

export interface CertificateRequest {
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** For a client of mutual TLS rather than for a server. */
  readonly client?: boolean;
  /** A day ago when left out. */
  readonly notBefore?: Date;
  /** A year from now when left out; a moment in the past makes an expired certificate. */
  readonly notAfter?: Date;
}

/** PEM texts. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly certPem: string;
  issue(request: CertificateRequest): IssuedCertificate;
  /** An intermediate authority, which this one vouches for. */
  intermediate(name: string): Authority;
}

interface Issuer {
  readonly key: forge.pki.rsa.PrivateKey;
  readonly subject: forge.pki.CertificateField[];
}

/** Signs itself. */
export function createAuthority(name: string): Authority {
  return authorityUnder(undefined, name);
}

function authorityUnder(issuer: Issuer | undefined, name: string): Authority {
  const keys = generateKeys();
  const issuerKey = forge.pki.privateKeyFromPem(keys.privateKey);
  const subject = [{ shortName: 'CN', value: name }];
  const keyIdentifier = keyIdentifierOf(keys.publicKey);
  const own = certificateFor(keys.publicKey, subject, issuer?.subject ?? subject, {});
  own.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  own.sign(issuer?.key ?? issuerKey, forge.md.sha256.create());
  return {
    certPem: forge.pki.certificateToPem(own),
    intermediate: (below) => authorityUnder({ key: issuerKey, subject }, below),
    issue: (request) => {
      const leaf = generateKeys();
      const cert = certificateFor(leaf.publicKey, [{ shortName: 'CN', value: request.commonName }], subject, request);
      cert.setExtensions([
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
        { name: 'extKeyUsage', serverAuth: request.client !== true, clientAuth: request.client === true },
        { name: 'authorityKeyIdentifier', keyIdentifier },
        ...alternativeNames(request),
      ]);
      cert.sign(issuerKey, forge.md.sha256.create());
      return { cert: forge.pki.certificateToPem(cert), key: leaf.privateKey };
    },
  };
}

function alternativeNames({ dnsNames = [], ipAddresses = [] }: CertificateRequest): object[] {
  const altNames = [
    ...dnsNames.map((value) => ({ type: 2, value })),
    // The numbers are those of RFC 5280's GeneralName: 2 is dNSName, 7 is iPAddress.
    ...ipAddresses.map((ip) => ({ type: 7, ip })),
  ];
  return altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }];
}

/** RSA, because node-forge signs with nothing else; made by node:crypto, because node-forge takes seconds. */
function generateKeys(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

function certificateFor(
  publicKey: string,
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
  { notBefore, notAfter }: { readonly notBefore?: Date; readonly notAfter?: Date },
): forge.pki.Certificate {
  const cert = forge.pki.createCertificate();
  cert.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // DER wants an integer without needless zeros before it, and a serial number must be positive.
  cert.serialNumber = `01${randomBytes(15).toString('hex')}`;
  cert.validity.notBefore = notBefore ?? new Date(Math.min(Date.now(), notAfter?.getTime() ?? Infinity) - dayMs);
  cert.validity.notAfter = notAfter ?? new Date(Date.now() + 365 * dayMs);
  cert.setSubject(subject);
  cert.setIssuer(issuer);
  return cert;
}

function keyIdentifierOf(publicKey: string): string {
  const fingerprint = forge.pki.getPublicKeyFingerprint(forge.pki.publicKeyFromPem(publicKey), {
    type: 'RSAPublicKey',
    md: forge.md.sha1.create(),
  });
  return fingerprint.getBytes();
}
