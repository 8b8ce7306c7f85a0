/** What goes wrong between us and UCP, in an operator's words and with an exit code; and which of it is tried again. */
import { clientCertificateAlert } from '../base/client-certificate.js';
import { JobError, errorCode, errorText } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { retry } from '../base/retry.js';
import type { Secret } from '../base/secret.js';
import type { UcpUrl } from '../model/replica-access.js';

interface UcpErrorDetails {
  /** `ucpUnreachable` when left out. */
  readonly exitCode?: ExitCode;
  /** Whether the same call may succeed a little later. */
  readonly isTransient?: boolean;
  /** The status of UCP's answer, where there was one. */
  readonly status?: number;
  /** How long UCP asks to be left alone, where it does. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A call to UCP that failed. */
export class UcpError extends JobError {
  readonly isTransient: boolean;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: UcpErrorDetails = {}) {
    const { exitCode = ExitCode.ucpUnreachable, isTransient = false, status, retryAfterMs, cause } = details;
    super(exitCode, message, { cause });
    this.isTransient = isTransient;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Whether UCP answered the call with an error, other than that the user may not make it. */
export function isFailedCall(error: unknown): error is UcpError {
  return error instanceof UcpError && error.status !== undefined && error.exitCode === ExitCode.ucpUnreachable;
}

interface RetryTransientOptions {
  /** No new attempt begins later than this after the first. */
  readonly windowMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** For `retry`: the pause that UCP asks for with `Retry-After`. */
export function minPauseMs(error: unknown): number {
  return error instanceof UcpError ? (error.retryAfterMs ?? 0) : 0;
}

/** What is logged of a failed attempt that another follows. */
export function retryText(error: unknown): string {
  const pauseMs = minPauseMs(error);
  const when = pauseMs > 0 ? ` in ${Math.ceil(pauseMs / 1000)} s, as UCP asks` : '';
  return `${errorText(error)}; trying again${when}`;
}

/** Only for what is harmless to repeat. Rejects with the last failure, or with the signal's reason. */
export function retryTransient<T>(attempt: () => Promise<T>, options: RetryTransientOptions): Promise<T> {
  const { windowMs, signal, log } = options;
  return retry(attempt, {
    deadlineMs: windowMs,
    signal,
    isTransient: (error) => error instanceof UcpError && error.isTransient,
    minPauseMs,
    onRetry: (error) => log.warn(retryText(error)),
  });
}

const unknownAuthority = 'its authority is not known here';

/** Node's and OpenSSL's codes for a certificate that is not accepted. */
const certificateFaults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_SIGNATURE_FAILURE: 'another authority signed it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it was issued for another name',
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
};

const otherCertificateFault = /^(?:CERT_|CRL_|UNABLE_TO_|ERR_TLS_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/;

interface UcpPeer {
  readonly url: UcpUrl;
  /** Whether the client shows a certificate. */
  readonly hasClientPair: boolean;
}

/** The UcpError for what the network, TLS or the HTTP client threw; `cause` becomes its cause. */
export function networkError(cause: unknown, { url, hasClientPair }: UcpPeer): UcpError {
  const code = errorCode(cause) ?? '';
  const alert = clientCertificateAlert(cause, hasClientPair);
  if (alert !== undefined) {
    const advice = 'give cert.pem and key.pem of a client bundle with --ucp-client-cert and --ucp-client-key';
    return new UcpError(`UCP ${url}: ${alert}; ${advice}`, { cause });
  }
  const fault = certificateFaults[code] ?? (otherCertificateFault.test(code) ? code : undefined);
  if (fault !== undefined) {
    const advice = 'give its authority with --ucp-ca, or switch the check off with --ucp-insecure-tls';
    return new UcpError(`UCP ${url}: its TLS certificate is not accepted, ${fault}; ${advice}`, { cause });
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return new UcpError(`UCP ${url}: the TLS handshake failed; does an HTTPS server listen there?`, { cause });
  }
  // Most likely mistyped, so not tried again.
  if (code === 'ENOTFOUND') return new UcpError(`UCP ${url}: the host name is unknown`, { cause });
  const what = code === 'ECONNREFUSED' ? 'was refused' : `failed (${code || errorText(cause)})`;
  return new UcpError(`UCP ${url}: the connection ${what}`, { cause, isTransient: true });
}

const maxQuoteLength = 200;

/**
 * What UCP answered, for a message: one line, short, without markup. Nothing of it where it holds the token: a proxy may
 * answer with the headers of the request it refuses. (The answer to signing in is never quoted.)
 */
export function quoteAnswer(text: string, token: Secret): string {
  if (text.trimStart().startsWith('<')) return 'a page in HTML';
  const value = token.reveal();
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
  if (value !== '' && forms.some((form) => text.includes(form))) {
    return 'an answer that is not shown, as it holds the token of the session';
  }
  const quote = shortenIds(text.replaceAll(/[\s\p{C}]+/gu, ' ').trim());
  return quote.length > maxQuoteLength ? `${quote.slice(0, maxQuoteLength)}…` : quote;
}

/** For messages: the first 12 of the 64 digits of an id, as Docker shows them. */
export function shortenIds(text: string): string {
  return text.replaceAll(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1');
}
