import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import type { UcpUrl } from '#src/model/replica-access.js';
import { networkError, quoteAnswer } from '#src/ucp/errors.js';

const url = 'https://ucp.example.com' as UcpUrl;
const failure = (code: string, hasClientPair = false) =>
  networkError(Object.assign(new Error('reason'), { code }), { url, hasClientPair });

describe('what the network throws', () => {
  test.each([
    ['CERT_HAS_EXPIRED', 'expired'],
    ['CERT_NOT_YET_VALID', 'not valid yet'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'authority is not known'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'authority is not known'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'another name'],
    ['CERT_REVOKED', 'CERT_REVOKED'],
  ])('%s is a certificate not accepted, with the two ways out', (code, reason) => {
    const { exitCode, message, isTransient } = failure(code);
    expect({ exitCode, isTransient }).toEqual({ exitCode: ExitCode.ucpUnreachable, isTransient: false });
    expect(message).toContain(reason);
    expect(message).toContain('--ucp-ca');
    expect(message).toContain('--ucp-insecure-tls');
  });

  test.each([
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', false, 'it requires a client certificate'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', false, 'it requires a client certificate'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', true, 'it does not accept the client certificate'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', true, 'it does not know the authority of the client certificate'],
  ])('%s, with a pair: %p, asks for one', (code, hasPair, text) => {
    const { exitCode, message, isTransient } = failure(code, hasPair);
    expect({ exitCode, isTransient }).toEqual({ exitCode: ExitCode.ucpUnreachable, isTransient: false });
    expect(message).toBe(
      `UCP ${url}: ${text}; give cert.pem and key.pem of a client bundle with --ucp-client-cert and --ucp-client-key`,
    );
  });

  test.each([
    ['ENOTFOUND', 'the host name is unknown', false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'the TLS handshake failed', false],
    ['ECONNREFUSED', 'the connection was refused', true],
    ['ECONNRESET', 'the connection failed (ECONNRESET)', true],
    ['EAI_AGAIN', 'the connection failed (EAI_AGAIN)', true],
  ])('%s: %s', (code, text, isTransient) => {
    const translated = failure(code);
    expect(translated.message).toContain(text);
    expect(translated).toMatchObject({ exitCode: ExitCode.ucpUnreachable, isTransient });
  });
});

describe('a quotation of what UCP said', () => {
  const none = new Secret('');

  test('is one short line', () => {
    expect(quoteAnswer('  no\r\n\tway\u0000 \u001b[31m ', none)).toBe('no way [31m');
    expect(quoteAnswer('x'.repeat(5000), none).length).toBeLessThan(250);
  });

  const token = '8a7b"c5d-1234/4abc+9def';
  test.each([
    ['plain', token],
    ['in JSON', JSON.stringify({ token })],
    ['in a URL', encodeURIComponent(token)],
  ])('is none where the token is in it %s', (_how, form) => {
    expect(quoteAnswer(`bad request: ${form} in it`, new Secret(token))).toBe(
      'an answer that is not shown, as it holds the token of the session',
    );
  });

  test('has ids as Docker shows them', () => {
    expect(quoteAnswer(`No such container: ${'4f5e6d7c8b9a'.padEnd(64, '0')}`, none)).toBe(
      'No such container: 4f5e6d7c8b9a',
    );
    expect(quoteAnswer(`sha256:${'a'.repeat(65)}`, none)).toContain('a'.repeat(65));
  });

  test('is what was said where the token is not in it', () => {
    const said = 'Error response from daemon: No such container: 4f5e6d';
    expect(quoteAnswer(said, new Secret(token))).toBe(said);
    expect(quoteAnswer('100% of \\u and &#9999999; %zz', new Secret(token))).toBe('100% of \\u and &#9999999; %zz');
  });

  test('is no page', () => {
    expect(quoteAnswer('\n<html><body>…', none)).toBe('a page in HTML');
  });
});
