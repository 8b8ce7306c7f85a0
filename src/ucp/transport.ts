/**
 * One exchange with UCP over HTTPS: a request, the head of its answer, and a body whose reading is limited in time. It
 * knows nothing of signing in or of retries. The only place that calls node-fetch.
 */
import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import fetch, { FetchError, type Response } from 'node-fetch';
import { assertClientPair, type ClientPair } from '../base/client-certificate.js';
import { onAbort, withTimeout } from '../base/deadline.js';
import { UsageError } from '../base/errors.js';
import type { Secret } from '../base/secret.js';
import type { UcpUrl } from '../model/replica-access.js';
import { networkError, shortenIds, UcpError } from './errors.js';

export interface UcpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** The path after the host, with the query. It is logged and quoted in messages. */
  readonly path: string;
  readonly json?: unknown;
  /** The body, where it is a tar. */
  readonly tar?: Buffer;
  /** For what takes its time before it is answered: a longer limit of the wait. */
  readonly minTimeoutMs?: number;
}

export interface UcpResponse {
  readonly status: number;
  /** From now on, where the answer has a `Retry-After` (RFC 9110, section 10.2.3). */
  readonly retryAfterMs?: number | undefined;
  /** The caller reads it to its end or destroys it. */
  readonly body: Readable;
}

export interface TransportOptions {
  readonly url: UcpUrl;
  /** PEM text: all that is trusted, authorities and servers' own certificates. Without it, Node's own authorities. */
  readonly ca?: string | undefined;
  /** What the client shows where UCP asks for a certificate. */
  readonly clientPair?: Pick<ClientPair, 'cert' | 'key'> | undefined;
  /** Accepts any certificate. */
  readonly insecureTls: boolean;
  /** Limit of the wait for the head of an answer, for all of a text, and for each next chunk of a stream. */
  readonly timeoutMs: number;
}

interface TextLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export class UcpTransport implements Disposable {
  readonly #options: TransportOptions;
  readonly #agent: Agent;

  /**
   * Throws a UsageError where `ca` holds no certificate (TLS itself would silently trust no server), or where the
   * client's pair cannot be used.
   */
  constructor(options: TransportOptions) {
    const { ca, insecureTls, clientPair = {} } = options;
    if (ca !== undefined) assertCertificate(ca);
    assertClientPair(clientPair, pairCheck());
    this.#options = options;
    const { cert, key } = clientPair;
    // An intermediate, or the server's own certificate, is enough for the vendor's tools, as they are written in Go.
    const trust = { ca, allowPartialTrustChain: true, rejectUnauthorized: !insecureTls };
    // A connection for each call: idle ones are closed unnoticed between two calls that may be hours apart.
    this.#agent = new Agent({ keepAlive: false, ...trust, cert, key: key?.reveal() });
  }

  /**
   * Resolves with the head of the answer, whatever its status; only a redirect is an error, as the credentials must not
   * go elsewhere. Throws a UcpError with exit code 4, or the signal's reason; so does reading the body.
   */
  async send(request: UcpRequest, token: Secret | undefined, signal: AbortSignal): Promise<UcpResponse> {
    signal.throwIfAborted();
    const { url } = this.#options;
    const timeoutMs = Math.max(this.#options.timeoutMs, request.minTimeoutMs ?? 0);
    const hasClientPair = this.#options.clientPair !== undefined;
    const connection = new AbortController();
    const limit = async <T>(promise: Promise<T>, translate: (error: unknown) => unknown): Promise<T> => {
      let timeout: UcpError | undefined;
      try {
        return await withTimeout(promise, timeoutMs, () => (timeout = timeoutError(url, request, timeoutMs)), signal);
      } catch (error) {
        connection.abort();
        if (signal.aborted) throw signal.reason;
        throw timeout ?? translate(error);
      }
    };
    const response = await limit(this.#fetch(request, token, connection.signal), (error) =>
      error instanceof FetchError ? networkError(error, { url, hasClientPair }) : error,
    );
    const redirect = redirectError(url, request, response);
    if (redirect !== undefined) {
      connection.abort();
      throw redirect;
    }
    const source = response.body ?? Readable.from([]);
    // Reading throws these errors too; without a listener they would end the process.
    source.on('error', () => undefined);
    const chunks = source[Symbol.asyncIterator]();
    const cut = (cause: unknown): UcpError =>
      new UcpError(`UCP ${url}: the answer to ${nameOf(request)} was cut short`, { cause, isTransient: true });
    let removeListener = (): void => undefined;
    // Pulled only as the reader asks, so that the time a slow reader takes does not count.
    const body = new Readable({
      read: () => {
        limit(chunks.next(), cut).then(
          (next) => body.push(next.done === true ? null : next.value),
          (error: unknown) => body.destroy(error as Error),
        );
      },
      destroy: (error, done) => {
        removeListener();
        connection.abort();
        done(error);
      },
    });
    // It may fail before anyone listens; the reader gets the error by reading.
    body.on('error', () => undefined);
    removeListener = onAbort(signal, () => void body.destroy(signal.reason as Error));
    return { status: response.status, retryAfterMs: retryAfterOf(response), body };
  }

  /** All of the answer's text; afterwards the connection is closed. Throws as `send`, also beyond the limits. */
  async readText(request: UcpRequest, { body }: UcpResponse, limits: TextLimits): Promise<string> {
    const { url } = this.#options;
    const { maxBytes, timeoutMs, signal } = limits;
    const read = async (): Promise<string> => {
      const chunks: Buffer[] = [];
      let byteCount = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        byteCount += chunk.length;
        if (byteCount > maxBytes) {
          throw new UcpError(`UCP ${url}: the answer to ${nameOf(request)} has more than ${maxBytes} bytes`);
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    };
    try {
      return await withTimeout(read(), timeoutMs, () => timeoutError(url, request, timeoutMs), signal);
    } finally {
      body.destroy();
    }
  }

  /** Closes every open connection, also those of bodies being read. */
  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #fetch(request: UcpRequest, token: Secret | undefined, signal: AbortSignal): Promise<Response> {
    const { method, path, json, tar } = request;
    return fetch(`${this.#options.url}${path}`, {
      method,
      headers: {
        accept: 'application/json, application/x-tar',
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(tar !== undefined && { 'content-type': 'application/x-tar' }),
        ...(token !== undefined && { authorization: `Bearer ${token.reveal()}` }),
      },
      body: json === undefined ? (tar ?? null) : JSON.stringify(json),
      agent: this.#agent,
      redirect: 'manual',
      // A compressed answer could exceed a limit on its bytes when it is unpacked.
      compress: false,
      signal,
    });
  }
}

/** For messages. */
export function nameOf({ method, path }: UcpRequest): string {
  return `${method} ${shortenIds(path)}`;
}

function assertCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw new UsageError(['--ucp-ca (UCP_CA): not a certificate in PEM']);
  }
}

function pairCheck(): Parameters<typeof assertClientPair>[1] {
  const flags = {
    'client certificate': '--ucp-client-cert (UCP_CLIENT_CERT)',
    'client key': '--ucp-client-key (UCP_CLIENT_KEY)',
  };
  return {
    now: new Date(),
    unusable: (file, why) => new UsageError([`${flags[file]} cannot be used: ${why}`]),
    passphraseAdvice: 'give it without a passphrase',
  };
}

/** Seconds or a date; undefined for anything else. */
function retryAfterOf({ headers }: Response): number | undefined {
  const value = headers.get('retry-after')?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function timeoutError(url: UcpUrl, request: UcpRequest, timeoutMs: number): UcpError {
  const what = `no answer, or no more of it, to ${nameOf(request)} within ${timeoutMs / 1000} s`;
  return new UcpError(`UCP ${url}: ${what}`, { isTransient: true });
}

function redirectError(url: UcpUrl, request: UcpRequest, { status, headers }: Response): UcpError | undefined {
  if (status < 300 || status >= 400 || status === 304) return undefined;
  const location = headers.get('location') ?? '';
  // Only the origin: the rest of the address may hold a secret.
  const target = URL.canParse(location, url) ? new URL(location, url).origin : 'nowhere';
  const what = `${nameOf(request)} was redirected to ${target} (${status})`;
  return new UcpError(`UCP ${url}: ${what}; give the address of UCP itself with --ucp-url`, { status });
}
