/**
 * A session with UCP: every call carries the token, an expired one is renewed, harmless calls are tried again, and an
 * answer that is not what was asked for becomes a UcpFailure.
 */
import type { Readable } from 'node:stream';
import { errorText } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import type { Secret } from '../base/secret.js';
import type { UcpUrl } from '../model/replica-access.js';
import { readJson, readRefusal } from './answers.js';
import { UcpFailure, unreachable } from './failures.js';
import { retryTransient } from './retry-transient.js';
import { nameOf, type UcpRequest, type UcpResponse, type UcpTransport } from './transport.js';

export interface UcpContext {
  readonly log: Log;
  /** Its reason is what a wait rejects with. */
  readonly signal: AbortSignal;
}

export interface UcpCall extends UcpRequest {
  /** Whether a second one does no harm when the first got no answer; a GET or HEAD never does. */
  readonly isHarmless?: boolean;
  /** Statuses beside 2xx that the caller makes sense of. */
  readonly accept?: readonly number[];
  /** In place of the session's own signal, for what must still be done after that has aborted. */
  readonly signal?: AbortSignal;
}

export interface UcpAnswer {
  readonly status: number;
  /** The body, parsed. Throws a UcpFailure with exit code 4 where it is not JSON or `parse` does not accept it. */
  json<T>(parse: (value: unknown) => T): T;
}

export interface SessionOptions {
  readonly transport: UcpTransport;
  readonly username: string;
  /** No new try of a harmless call begins later than this after the first. */
  readonly retryWindowMs: number;
  /** How long signing out may take. */
  readonly signOutTimeoutMs: number;
  /** Signs in; throws when UCP refuses. */
  readonly login: (signal: AbortSignal) => Promise<Secret>;
}

export class UcpSession implements AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #context: UcpContext;
  #token: Secret;

  constructor(options: SessionOptions, token: Secret, context: UcpContext) {
    this.#options = options;
    this.#context = context;
    this.#token = token;
  }

  get url(): UcpUrl {
    return this.#options.transport.url;
  }

  /**
   * Asks, and reads the whole answer. Throws a UcpFailure with exit code 4, or 3 where UCP refuses the user (401, 403),
   * or the signal's reason.
   */
  ask(call: UcpCall): Promise<UcpAnswer> {
    return this.#exchange(call, async (response, signal) => {
      const text = await this.#options.transport.readText(call, response, signal);
      return { status: response.status, json: (parse) => readJson(text, parse, `UCP ${this.url}`, nameOf(call)) };
    });
  }

  /** Asks, and hands out the answer's body as it comes; the caller reads it to its end or destroys it. Throws as `ask`. */
  open(call: UcpCall): Promise<{ readonly status: number; readonly body: Readable }> {
    return this.#exchange(call, (response) => Promise.resolve(response));
  }

  /** Signs out, as far as UCP lets us, and ends every connection; bodies still being read fail. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#signOut();
    this.#options.transport[Symbol.dispose]();
  }

  /**
   * `POST /auth/logout`, which stands beside `/auth/login` in UCP: the token is good for nothing afterwards. It is the
   * last thing done, also after a failure or a signal, so it waits little, and what comes of it changes nothing.
   */
  async #signOut(): Promise<void> {
    const request = { method: 'POST', path: '/auth/logout' } as const;
    const { log } = this.#context;
    try {
      const signal = AbortSignal.timeout(this.#options.signOutTimeoutMs);
      const { status, body } = await this.#options.transport.send(request, this.#token, signal);
      body.destroy();
      log.debug(`UCP: ${nameOf(request)}: ${status}`);
    } catch (error) {
      log.debug(`UCP: ${nameOf(request)}: ${errorText(error)}`);
    }
  }

  #exchange<T>(call: UcpCall, finish: (response: UcpResponse, signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = call.signal ?? this.#context.signal;
    const isHarmless = call.isHarmless ?? ['GET', 'HEAD'].includes(call.method);
    const { log } = this.#context;
    const attempt = (): Promise<T> =>
      this.#withToken(signal, async (token) => {
        const response = await this.#options.transport.send(call, token, signal);
        log.debug(`UCP: ${nameOf(call)}: ${response.status}`);
        await this.#assertSuccess(call, response, token, signal);
        return finish(response, signal);
      });
    return isHarmless ? retryTransient(attempt, { windowMs: this.#options.retryWindowMs, signal, log }) : attempt();
  }

  /** A 401 was never carried out, so the attempt may be made once more with a new token, harmless or not. */
  async #withToken<T>(signal: AbortSignal, attempt: (token: Secret) => Promise<T>): Promise<T> {
    const token = this.#token;
    try {
      return await attempt(token);
    } catch (error) {
      if (!(error instanceof UcpFailure) || error.status !== 401) throw error;
    }
    // Another call may have renewed it in the meantime.
    if (this.#token === token) {
      this.#context.log.info('UCP has ended the session: signing in again');
      this.#token = await this.#options.login(signal);
    }
    return attempt(this.#token);
  }

  async #assertSuccess(call: UcpCall, response: UcpResponse, token: Secret, signal: AbortSignal): Promise<void> {
    const { status } = response;
    if ((status >= 200 && status < 300) || call.accept?.includes(status) === true) return;
    const said = await readRefusal(response, token, signal);
    const answered = `UCP ${this.url} answered ${nameOf(call)} with ${status}${said}`;
    if (status === 401) {
      throw new UcpFailure(ExitCode.ucpRefused, `${answered}, though it has just signed us in`, { status });
    }
    if (status === 403) {
      const advice = `user ${this.#options.username} may not do this; a UCP administrator is needed`;
      throw new UcpFailure(ExitCode.ucpRefused, `${answered}: ${advice}`, { status });
    }
    throw unreachable(answered, { status, isTransient: isTransientStatus(status) });
  }
}

/** Answers of a UCP, or of a balancer before it, that is busy or coming up. */
export function isTransientStatus(status: number): boolean {
  return [429, 502, 503, 504].includes(status);
}
