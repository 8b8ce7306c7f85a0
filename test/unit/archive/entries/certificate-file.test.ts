import { expect, test } from '@jest/globals';
import { summarizeCertificateFile } from '#src/archive/entries/certificate-file.js';

/** Made with `openssl req -x509`; its key was thrown away. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBlzCCAT2gAwIBAgIUWGPMVrFvyRBourkWtQdWYGa5IaAwCgYIKoZIzj0EAwIw
IDEQMA4GA1UEAwwHcmV0aGluazEMMAoGA1UECgwDRFRSMCAXDTI2MTEyMzE4MzMw
OVoYDzIxMjYxMDMwMTgzMzA5WjAgMRAwDgYDVQQDDAdyZXRoaW5rMQwwCgYDVQQK
DANEVFIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATRz6KT96ODfUhHOsMYHf+1
gnF98N/G8RZJkMm6nF0HbLbjnSCU2LpT7UBNiqNNTEpk+ZG72UwdMAJmkKRDjL3q
o1MwUTAdBgNVHQ4EFgQUrG1YJbL89lNA/nAE5bVW8If8vv4wHwYDVR0jBBgwFoAU
rG1YJbL89lNA/nAE5bVW8If8vv4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNIADBFAiA7HfgUWYu18irUsb7rtDi+WFmRQM+R88Rjc2C3Gt4JawIhAK6Ks6DU
wm4it7THNwLhnm/tNW62wNbf6Aw1RoYlOrQe
-----END CERTIFICATE-----
`;

test('a certificate with a key beside it is told by subject and end', () => {
  const body = Buffer.from(`${certificate}-----BEGIN EC PRIVATE KEY-----\n`);
  expect(summarizeCertificateFile(body)).toEqual({
    subject: 'CN=rethink, O=DTR',
    expiresAt: '2126-10-30T18:33:09.000Z',
    hasPrivateKey: true,
  });
});

test('what is no certificate is told as little', () => {
  expect(summarizeCertificateFile(Buffer.from('hello'))).toEqual({ hasPrivateKey: false });
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(summarizeCertificateFile(Buffer.from(broken))).toEqual({ hasPrivateKey: false });
});
