/**
 * One exchange with UCP over HTTPS: a request, the head of its answer, and a guarded body. It knows nothing of signing
 * in or of trying again. The only place that calls node-fetch.
 */
import type { Agent } from 'node:https';
import { Readable } from 'node:stream';
import fetch, { FetchError, type Response } from 'node-fetch';
import { withTimeout } from '../base/deadline.js';
import type { Secret } from '../base/secret.js';
import type { UcpUrl } from '../model/replica-access.js';
import { guardBody, readText } from './body.js';
import { translateNetworkError, unreachable } from './failures.js';

export interface UcpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** From the host on, with the query. It is logged and quoted in messages. */
  readonly path: string;
  readonly json?: unknown;
  /** The body, where it is a tar. */
  readonly tar?: Buffer;
}

export interface UcpResponse {
  readonly status: number;
  /** The caller reads it to its end or destroys it. */
  readonly body: Readable;
}

export interface TransportOptions {
  readonly url: UcpUrl;
  readonly agent: Agent;
  /** Bounds the wait for the head of an answer, for all of a text, and for each next piece of a stream. */
  readonly timeoutMs: number;
  /** The most that is held in memory of one answer. */
  readonly maxTextBytes: number;
}

export class UcpTransport implements Disposable {
  readonly url: UcpUrl;
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.url = options.url;
    this.#options = options;
  }

  /**
   * Resolves with the head of the answer, whatever its status; only a redirect is refused, for the credentials are not
   * for whoever it names. Throws a UcpFailure with exit code 4, or the signal's reason.
   */
  async send(request: UcpRequest, token: Secret | undefined, signal: AbortSignal): Promise<UcpResponse> {
    signal.throwIfAborted();
    const { url, timeoutMs } = this.#options;
    const connection = new AbortController();
    const close = (): void => connection.abort();
    const onStall = (): Error => this.#timeoutFailure(request);
    let response: Response;
    try {
      response = await withTimeout(this.#fetch(request, token, connection.signal), timeoutMs, onStall, signal);
      this.#refuseRedirect(request, response);
    } catch (error) {
      close();
      if (signal.aborted) throw signal.reason;
      throw error instanceof FetchError ? translateNetworkError(error, url) : error;
    }
    const translate = (error: unknown): Error => this.#cutFailure(request, error);
    const source = response.body ?? Readable.from([]);
    // node-fetch emits its errors whether somebody listens or not; they come out of reading as well.
    source.on('error', () => undefined);
    const body = guardBody(source, { stallMs: timeoutMs, signal, onStall, translate, close });
    return { status: response.status, body };
  }

  /** All of the answer's text, within the time limit and the size limit; afterwards the connection is closed. */
  async readText(request: UcpRequest, { body }: UcpResponse, signal: AbortSignal): Promise<string> {
    const { url, timeoutMs, maxTextBytes } = this.#options;
    const onTooLong = (): Error =>
      unreachable(`UCP ${url}: the answer to ${nameOf(request)} has more than ${maxTextBytes} bytes`);
    try {
      const text = readText(body, maxTextBytes, onTooLong);
      return await withTimeout(text, timeoutMs, () => this.#timeoutFailure(request), signal);
    } finally {
      body.destroy();
    }
  }

  /** Ends every connection that is still open, streams handed out among them. */
  [Symbol.dispose](): void {
    this.#options.agent.destroy();
  }

  #fetch(request: UcpRequest, token: Secret | undefined, signal: AbortSignal): Promise<Response> {
    const { url, agent } = this.#options;
    const { json, tar } = request;
    return fetch(`${url}${request.path}`, {
      method: request.method,
      headers: {
        accept: 'application/json, application/x-tar',
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(tar !== undefined && { 'content-type': 'application/x-tar' }),
        ...(token !== undefined && { authorization: `Bearer ${token.reveal()}` }),
      },
      body: json === undefined ? (tar ?? null) : JSON.stringify(json),
      agent,
      redirect: 'manual',
      // A bound on the bytes of an answer must not be passed by a few that unfold.
      compress: false,
      signal,
    });
  }

  #refuseRedirect(request: UcpRequest, { status, headers }: Response): void {
    if (status < 300 || status >= 400 || status === 304) return;
    const location = headers.get('location') ?? '';
    // Only the origin: the rest of the address may hold whatever the sender put there.
    const target = URL.canParse(location, this.url) ? new URL(location, this.url).origin : 'nowhere';
    const what = `${nameOf(request)} was redirected to ${target} (${status})`;
    throw unreachable(`UCP ${this.url}: ${what}; give the address of UCP itself with --ucp-url`, { status });
  }

  #timeoutFailure(request: UcpRequest): Error {
    const { url, timeoutMs } = this.#options;
    const what = `no answer, or no more of it, to ${nameOf(request)} within ${timeoutMs / 1000} s`;
    return unreachable(`UCP ${url}: ${what}`, { isTransient: true });
  }

  #cutFailure(request: UcpRequest, cause: unknown): Error {
    return unreachable(`UCP ${this.url}: the answer to ${nameOf(request)} was cut short`, { cause, isTransient: true });
  }
}

/** For messages. */
export function nameOf({ method, path }: UcpRequest): string {
  return `${method} ${path}`;
}
