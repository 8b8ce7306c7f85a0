import { expect, test } from '@jest/globals';
import forge from 'node-forge';
import { summarizeCertificateFile } from '#src/archive/certificate-file.js';

test('a certificate with its key is told by subject and end', () => {
  const keys = forge.pki.rsa.generateKeyPair(1024);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.validity.notBefore = new Date('2026-01-01T00:00:00Z');
  certificate.validity.notAfter = new Date('2031-02-03T04:05:06Z');
  certificate.setSubject([
    { name: 'commonName', value: 'rethink' },
    { name: 'organizationName', value: 'DTR' },
  ]);
  certificate.sign(keys.privateKey, forge.md.sha256.create());
  const pem = forge.pki.certificateToPem(certificate) + forge.pki.privateKeyToPem(keys.privateKey);
  expect(summarizeCertificateFile(Buffer.from(pem))).toEqual({
    subject: 'CN=rethink, O=DTR',
    expiresAt: '2031-02-03T04:05:06.000Z',
    hasPrivateKey: true,
  });
});

test('what is no certificate is told as little', () => {
  expect(summarizeCertificateFile(Buffer.from('hello'))).toEqual({ hasPrivateKey: false });
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(summarizeCertificateFile(Buffer.from(broken))).toEqual({ hasPrivateKey: false });
});
