// What a TLS alert says of the client's certificate, in the two forms in which Node hands it on.
import { describe, expect, test } from '@jest/globals';
import { clientCertificateAlert } from '#src/base/client-certificate.js';

const duringHandshake = (number: string): Error =>
  Object.assign(new Error(`write EPROTO 80AC:error:${number}:SSL routines:ssl3_read_bytes:some words:../deps`), {
    code: 'EPROTO',
  });
const afterIt = (code: string): Error => Object.assign(new Error('words'), { code });

describe('an alert about the client certificate', () => {
  test.each([
    // OpenSSL 3 and 1.1.1.
    [duringHandshake('0A000410'), 'it requires a client certificate, or TLS of another version'],
    [duringHandshake('14094410'), 'it requires a client certificate, or TLS of another version'],
    [duringHandshake('0A000418'), 'it does not know the authority of the client certificate'],
    [duringHandshake('0A000415'), 'by its clock the client certificate has expired or is not valid yet'],
    [duringHandshake('0A00045C'), 'it requires a client certificate'],
    [afterIt('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'it requires a client certificate'],
    [afterIt('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'), 'by its clock the client certificate has expired or'],
    [new Error('wrapped', { cause: duringHandshake('0A000418') }), 'it does not know the authority'],
  ])('%s', (error, text) => {
    expect(clientCertificateAlert(error, true)).toMatch(new RegExp(`^${text}`));
  });

  test.each([
    duringHandshake('0A00010B'),
    duringHandshake('0A000438'),
    afterIt('ERR_SSL_WRONG_VERSION_NUMBER'),
    afterIt('ECONNRESET'),
    new Error('error:0A000410:'),
    undefined,
  ])('is none in %s', (error) => {
    expect(clientCertificateAlert(error, true)).toBeUndefined();
  });

  test('is one for a certificate where none was shown, in the word of servers in Go before 1.21', () => {
    const error = afterIt('ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE');
    expect(clientCertificateAlert(error, false)).toBe('it requires a client certificate');
    expect(clientCertificateAlert(error, true)).toBe('it does not accept the client certificate');
  });
});
