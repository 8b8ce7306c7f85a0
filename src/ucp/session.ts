/**
 * A session with UCP: every call carries the token, an expired one is renewed, harmless calls are tried again, and an
 * answer that is not what was asked for becomes a UcpError.
 */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { errorText } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { Secret } from '../base/secret.js';
import { parseAnswer, parseRefusal } from './answers.js';
import { quoteAnswer, retryTransient, UcpError } from './errors.js';
import { nameOf, UcpTransport, type TransportOptions, type UcpRequest, type UcpResponse } from './transport.js';

export interface UcpContext {
  readonly log: Log;
  /** Its reason is what a wait rejects with. */
  readonly signal: AbortSignal;
}

interface UcpCall extends UcpRequest {
  /** Whether to repeat it does no harm when the first got no answer; true of a GET or HEAD when left out. */
  readonly isHarmless?: boolean;
  /** Statuses beside 2xx that the caller handles. */
  readonly accept?: readonly number[];
  /** Whether 403 is (also) what the engine answers to a call that it cannot carry out: exit code 4 then, not 3. */
  readonly engineForbids?: boolean;
  /** Instead of the session's own signal, for what must still be done after that has aborted. */
  readonly signal?: AbortSignal | undefined;
}

interface UcpAnswer {
  readonly status: number;
  /** The body, parsed. Throws a UcpError with exit code 4 where it is not JSON of this schema. */
  json<T>(schema: z.ZodType<T>): T;
}

const defaults = {
  /** Limit of every wait for UCP. */
  timeoutMs: 30_000,
  /** How long a harmless call is tried again. */
  retryWindowMs: 60_000,
  /** How long signing out may take: `docker stop` gives ten seconds in all. */
  signOutTimeoutMs: 3000,
  /** Limit of one answer held in memory: enough for a cluster of 20,000 containers. */
  maxTextBytes: 64 * 1024 * 1024,
};

export interface SignInOptions extends Omit<TransportOptions, 'timeoutMs'>, Partial<typeof defaults> {
  readonly username: string;
  readonly password: Secret;
}

/** Of the answer to a failed call. */
const refusalLimits = { maxBytes: 16 * 1024, timeoutMs: 5000 };

/** A token goes into a header, so nothing but visible ASCII. */
const loginSchema = z.object({ auth_token: z.string().regex(/^[\x21-\x7e]+$/) });

/**
 * Opens a session, which the caller disposes of. Throws a UcpError with exit code 3 where UCP refuses the password, 4
 * where it cannot be reached or its TLS is not accepted, a UsageError for a `ca` without a certificate, or the signal's
 * reason.
 */
export async function signIn(options: SignInOptions, context: UcpContext): Promise<UcpSession> {
  const session = new UcpSession(options, context);
  context.log.info(`Connecting to UCP at ${options.url}`);
  if (options.insecureTls) {
    context.log.warn('The certificate of UCP is not checked (--ucp-insecure-tls): any server gets the password');
  }
  await session.signIn(context.signal);
  context.log.info(`Signed in to UCP as ${options.username}`);
  return session;
}

export class UcpSession implements AsyncDisposable {
  readonly #options: SignInOptions & typeof defaults;
  readonly #context: UcpContext;
  readonly #transport: UcpTransport;
  #token: Secret | undefined;

  constructor(options: SignInOptions, context: UcpContext) {
    this.#options = { ...defaults, ...options };
    this.#context = context;
    this.#transport = new UcpTransport(this.#options);
  }

  /** Gets a token. Throws as the function `signIn`. */
  async signIn(signal: AbortSignal): Promise<void> {
    const { retryWindowMs: windowMs } = this.#options;
    this.#token = await retryTransient(() => this.#requestToken(signal), { windowMs, signal, log: this.#context.log });
  }

  /**
   * Makes a call, and reads the whole answer. Throws a UcpError with exit code 4, or 3 where UCP refuses the user (401,
   * 403), or the signal's reason.
   */
  ask(call: UcpCall): Promise<UcpAnswer> {
    return this.#exchange(call, async (response, signal) => {
      const text = await this.#readText(call, response, signal);
      return { status: response.status, json: (schema) => parseAnswer(text, schema, this.#nameOf(call)) };
    });
  }

  /** Makes a call, and returns its body as it comes; the caller reads it to its end or destroys it. Throws as `ask`. */
  open(call: UcpCall): Promise<{ readonly status: number; readonly body: Readable }> {
    return this.#exchange(call, (response) => Promise.resolve(response));
  }

  /**
   * Signs out and closes every connection; bodies still being read fail. Never throws: `POST /auth/logout` is the last
   * call, also after a failure or a signal, so it waits little, and its outcome changes nothing.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const request = { method: 'POST', path: '/auth/logout' } as const;
    const { log } = this.#context;
    try {
      const signal = AbortSignal.timeout(this.#options.signOutTimeoutMs);
      const { status, body } = await this.#transport.send(request, this.#token, signal);
      body.destroy();
      log.debug(`UCP: ${nameOf(request)}: ${status}`);
    } catch (error) {
      log.debug(`UCP: ${nameOf(request)}: ${errorText(error)}`);
    }
    this.#transport[Symbol.dispose]();
  }

  /**
   * `POST /auth/login`, as in UCP's API documentation. An answer other than a token is never quoted: a proxy may answer
   * with the request it refuses, and so with the password, in some encoding.
   */
  async #requestToken(signal: AbortSignal): Promise<Secret> {
    const { username, password, url } = this.#options;
    const request = { method: 'POST', path: '/auth/login', json: { username, password: password.reveal() } } as const;
    const response = await this.#transport.send(request, undefined, signal);
    const { status } = response;
    if (isSuccess(status)) {
      const text = await this.#readText(request, response, signal);
      return new Secret(parseAnswer(text, loginSchema, this.#nameOf(request)).auth_token);
    }
    response.body.destroy();
    if (status !== 401 && status !== 403) throw answerError(`${this.#nameOf(request)} with ${status}`, response);
    const message = `UCP ${url} refused user ${username} or the password (${status})`;
    throw new UcpError(message, { exitCode: ExitCode.ucpRefused, status });
  }

  #exchange<T>(call: UcpCall, finish: (response: UcpResponse, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { log } = this.#context;
    const { signal = this.#context.signal, isHarmless = ['GET', 'HEAD'].includes(call.method) } = call;
    const attempt = async (): Promise<T> => {
      const response = await this.#send(call, signal);
      log.debug(`UCP: ${nameOf(call)}: ${response.status}`);
      await this.#assertSuccess(call, response, signal);
      return finish(response, signal);
    };
    return isHarmless ? retryTransient(attempt, { windowMs: this.#options.retryWindowMs, signal, log }) : attempt();
  }

  /** A call answered with 401 was never carried out, so it may be sent once more with a new token, harmless or not. */
  async #send(call: UcpCall, signal: AbortSignal): Promise<UcpResponse> {
    const token = this.#token;
    const response = await this.#transport.send(call, token, signal);
    if (response.status !== 401) return response;
    response.body.destroy();
    // Another call may have renewed it in the meantime.
    if (this.#token === token) {
      this.#context.log.info('UCP has ended the session: signing in again');
      await this.signIn(signal);
    }
    return this.#transport.send(call, this.#token, signal);
  }

  async #assertSuccess(call: UcpCall, response: UcpResponse, signal: AbortSignal): Promise<void> {
    const { status } = response;
    const isRefusal = status === 401 || (status === 403 && call.engineForbids !== true);
    if (isSuccess(status) || call.accept?.includes(status) === true) return;
    const answered = `${this.#nameOf(call)} with ${status}${await this.#readReason(call, response, signal)}`;
    if (!isRefusal) throw answerError(answered, response);
    const advice = `: user ${this.#options.username} may not do this; a UCP administrator is needed`;
    const message = `${answered}${status === 403 ? advice : ', though it has just signed us in'}`;
    throw new UcpError(message, { exitCode: ExitCode.ucpRefused, status });
  }

  /** The reason UCP gives, as `: <reason>`, or nothing where it gives none that can be read. */
  async #readReason(call: UcpCall, response: UcpResponse, signal: AbortSignal): Promise<string> {
    try {
      const text = await this.#transport.readText(call, response, { ...refusalLimits, signal });
      const reason = quoteAnswer(parseRefusal(text) ?? text, this.#token ?? new Secret(''));
      return reason === '' ? '' : `: ${reason}`;
    } catch {
      signal.throwIfAborted();
      return '';
    }
  }

  #readText(request: UcpRequest, response: UcpResponse, signal: AbortSignal): Promise<string> {
    const { maxTextBytes: maxBytes, timeoutMs } = this.#options;
    return this.#transport.readText(request, response, { maxBytes, timeoutMs, signal });
  }

  /** How a message about an answer begins. */
  #nameOf(request: UcpRequest): string {
    return `UCP ${this.#options.url} answered ${nameOf(request)}`;
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Transient: the answers of a UCP, or of a balancer before it, that is busy or starting. */
function answerError(message: string, { status, retryAfterMs }: UcpResponse): UcpError {
  return new UcpError(message, { status, retryAfterMs, isTransient: [429, 502, 503, 504].includes(status) });
}
