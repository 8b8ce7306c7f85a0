/** What goes wrong between us and UCP, in an operator's words: the one place that gives it an exit code. */
import { JobError, errorCode, errorText } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Secret } from '../base/secret.js';
import type { UcpUrl } from '../model/replica-access.js';

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

const maxQuoteLength = 200;

/**
 * What the other side said, fit for a message: one line, short, without markup. Nothing of it where the token is in it: a
 * proxy may answer with the headers of the request it did not like. (The token ends with the run; the password is never
 * quoted at all, see sign-in.ts.)
 */
export function quoteAnswer(text: string, token: Secret): string {
  if (text.trimStart().startsWith('<')) return 'a page in HTML';
  const value = token.reveal();
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
  if (value !== '' && forms.some((form) => text.includes(form)))
    return 'an answer that is not shown, for the token of the session is in it';
  const quote = text.replaceAll(/[\s\p{C}]+/gu, ' ').trim();
  return quote.length > maxQuoteLength ? `${quote.slice(0, maxQuoteLength)}…` : quote;
}
