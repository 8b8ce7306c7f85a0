/** What goes wrong between us and UCP, in an operator's words: the one place that gives it an exit code. */
import { JobError, errorCode, errorText } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Secret } from '../base/secret.js';
import type { UcpUrl } from '../model/ucp-url.js';

/** A call to UCP that failed, with what a caller may need to decide on. */
export class UcpFailure extends JobError {
  /** Whether the same call may succeed a little later. */
  readonly isTransient: boolean;
  /** The status of UCP's answer, where there was one. */
  readonly status: number | undefined;

  constructor(
    exitCode: ExitCode,
    message: string,
    about: { readonly isTransient?: boolean; readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(exitCode, message, 'cause' in about ? { cause: about.cause } : undefined);
    this.isTransient = about.isTransient ?? false;
    this.status = about.status;
  }
}

/** For whatever makes UCP as good as unreachable: exit code 4. */
export function unreachable(
  message: string,
  about?: { readonly isTransient?: boolean; readonly status?: number; readonly cause?: unknown },
): UcpFailure {
  return new UcpFailure(ExitCode.ucpUnreachable, message, about);
}

/** Node's and OpenSSL's codes for a certificate that was looked at and not accepted. */
const certificateFaults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_SIGNATURE_FAILURE: 'another authority signed it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it was issued for another name',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here',
};

const otherCertificateFault = /^(?:CERT_|CRL_|UNABLE_TO_|ERR_TLS_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/;

/** Makes a failure of what the network, TLS or the HTTP client threw; `error` becomes its cause. */
export function translateNetworkError(error: unknown, url: UcpUrl): UcpFailure {
  const code = errorCode(error) ?? '';
  const fault = certificateFaults[code] ?? (otherCertificateFault.test(code) ? code : undefined);
  if (fault !== undefined) {
    const advice = 'give its authority with --ucp-ca, or do without the check with --ucp-insecure-tls';
    return unreachable(`UCP ${url}: its TLS certificate is not accepted, ${fault}; ${advice}`, { cause: error });
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return unreachable(`UCP ${url}: TLS could not be agreed on; does an HTTPS server listen there?`, { cause: error });
  }
  // A name that does not exist will not exist in a minute: most likely it is mistyped.
  if (code === 'ENOTFOUND') return unreachable(`UCP ${url}: the host name is unknown`, { cause: error });
  const what = code === 'ECONNREFUSED' ? 'was refused' : `failed (${code || errorText(error)})`;
  return unreachable(`UCP ${url}: the connection ${what}`, { cause: error, isTransient: true });
}

const longestQuote = 200;

/**
 * What the other side said, fit for a message: one line, short, without markup. Nothing of it where the secret is in it,
 * for a proxy may answer with the request it did not like.
 */
export function quoteAnswer(text: string, secret: Secret): string {
  if (text.trimStart().startsWith('<')) return 'a page in HTML';
  if (holds(text, secret.reveal())) return 'an answer that is not shown, for the token of the session is in it';
  const quote = text.replaceAll(/[\s\p{C}]+/gu, ' ').trim();
  return quote.length > longestQuote ? `${quote.slice(0, longestQuote)}…` : quote;
}

/** Whether the secret is in the text: plain, backwards, escaped as in URLs, JSON or HTML, in hex or in base64. */
function holds(text: string, secret: string): boolean {
  if (secret === '') return false;
  const plainText = unescaped(text);
  return [text, plainText, plainText.replaceAll(/\s/g, '')].some((said) =>
    encodings(secret).some((encoded) => said.toLowerCase().includes(encoded.toLowerCase())),
  );
}

function unescaped(text: string): string {
  const character = (_: string, hex: string): string => String.fromCodePoint(Number.parseInt(hex, 16) % 0x110000);
  return text
    .replaceAll(/%([0-9a-f]{2})/gi, character)
    .replaceAll(/\\u([0-9a-f]{4})/gi, character)
    .replaceAll(/\\x([0-9a-f]{2})/gi, character)
    .replaceAll(/&#x([0-9a-f]{1,6});/gi, character)
    .replaceAll(/&#([0-9]{1,7});/g, (_, code: string) => String.fromCodePoint(Number(code) % 0x110000))
    .replaceAll(/\\(.)/g, '$1');
}

function encodings(secret: string): string[] {
  const backwards = Array.from(secret).reverse().join('');
  return [secret, backwards].flatMap((form) => [form, Buffer.from(form).toString('hex'), ...base64Cores(form)]);
}

/** What base64 makes of the secret wherever it begins in a group of three bytes, without what depends on its neighbours. */
function base64Cores(secret: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    const wholeGroups = bytes.subarray(0, bytes.length - (bytes.length % 3));
    const cores = (['base64', 'base64url'] as const).map((kind) =>
      wholeGroups.toString(kind).slice(offset === 0 ? 0 : 4),
    );
    return cores.filter((core) => core.length >= shortestCore);
  });
}

/** Anything shorter stands in many an innocent text. */
const shortestCore = 8;
