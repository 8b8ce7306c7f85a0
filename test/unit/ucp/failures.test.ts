import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import type { UcpUrl } from '#src/model/ucp-url.js';
import { quoteAnswer, translateNetworkError } from '#src/ucp/failures.js';

const url = 'https://ucp.example.com' as UcpUrl;
const failure = (code: string) => translateNetworkError(Object.assign(new Error('reason'), { code }), url);

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
    ['ENOTFOUND', 'the host name is unknown', false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS could not be agreed on', false],
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
  test('is one short line', () => {
    expect(quoteAnswer('  no\r\n\tway\u0000 \u001b[31m ', [])).toBe('no way [31m');
    expect(quoteAnswer('x'.repeat(5000), []).length).toBeLessThan(250);
  });

  test('holds no secret, plain or escaped in JSON', () => {
    const secret = new Secret('pass"word');
    const said = `pass"word and ${JSON.stringify({ password: 'pass"word' })}`;
    expect(quoteAnswer(said, [secret])).toBe('[redacted] and {"password":"[redacted]"}');
    expect(quoteAnswer('token abc', [new Secret('abc')])).toBe('token [redacted]');
    expect(quoteAnswer('nothing', [new Secret('')])).toBe('nothing');
  });

  test('is no page', () => {
    expect(quoteAnswer('\n<html><body>…', [])).toBe('a page in HTML');
  });
});
