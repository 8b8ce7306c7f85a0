/** Signing in to UCP: a name and a password for a session. */
import { z } from 'zod';
import { ExitCode } from '../base/exit-codes.js';
import { Secret } from '../base/secret.js';
import type { UcpUrl } from '../model/replica-access.js';
import { readJson } from './answers.js';
import { UcpFailure, unreachable } from './failures.js';
import { retryTransient } from './retry-transient.js';
import { isTransientStatus, UcpSession, type UcpContext } from './session.js';
import { createTlsAgent, type UcpTls } from './tls-agent.js';
import { nameOf, UcpTransport } from './transport.js';

export interface SignInOptions extends UcpTls {
  readonly url: UcpUrl;
  readonly username: string;
  readonly password: Secret;
  /** The limit of every wait for UCP; 30 s when left out. */
  readonly timeoutMs?: number;
  /** How long a harmless call is tried again; 60 s when left out. */
  readonly retryWindowMs?: number;
  /** How long signing out may take; 3 s when left out, as `docker stop` gives ten seconds in all. */
  readonly signOutTimeoutMs?: number;
  /** The most that is held in memory of one answer; 64 MiB when left out, room for a cluster of 20,000 containers. */
  readonly maxTextBytes?: number;
}

/**
 * Gives a session, which the caller disposes of. Throws a UcpFailure with exit code 3 where UCP refuses the password, 4
 * where it cannot be reached or its TLS is not accepted, a UsageError for a CA that is none, or the signal's reason.
 */
export async function signIn(options: SignInOptions, context: UcpContext): Promise<UcpSession> {
  const { url, username, timeoutMs = 30_000, maxTextBytes = 64 * 1024 * 1024 } = options;
  const { retryWindowMs = 60_000, signOutTimeoutMs = 3000 } = options;
  const transport = new UcpTransport({ url, agent: createTlsAgent(options), timeoutMs, maxTextBytes });
  const login = (signal: AbortSignal): Promise<Secret> =>
    retryTransient(() => logIn(transport, options, signal), { windowMs: retryWindowMs, signal, log: context.log });
  context.log.info(`Connecting to UCP at ${url}`);
  if (options.insecureTls) {
    context.log.warn('The certificate of UCP is not checked (--ucp-insecure-tls): whoever answers gets the password');
  }
  const token = await login(context.signal);
  context.log.info(`Signed in to UCP as ${username}`);
  return new UcpSession({ transport, username, retryWindowMs, signOutTimeoutMs, login }, token, context);
}

/** A token goes into a header, so nothing but visible ASCII. */
const loginShape = z.object({ auth_token: z.string().regex(/^[\x21-\x7e]+$/) });

function parseLogin(value: unknown): Secret {
  return new Secret(loginShape.parse(value).auth_token);
}

/**
 * `POST /auth/login`, as UCP's API documentation has it. What else than a token it answers is never quoted: a proxy may
 * answer with the request it did not like, and so with the password, in whatever encoding.
 */
async function logIn(transport: UcpTransport, options: SignInOptions, signal: AbortSignal): Promise<Secret> {
  const { username, password, url } = options;
  const request = { method: 'POST', path: '/auth/login', json: { username, password: password.reveal() } } as const;
  const response = await transport.send(request, undefined, signal);
  const { status } = response;
  if (status >= 200 && status < 300) {
    const text = await transport.readText(request, response, signal);
    return readJson(text, parseLogin, `UCP ${url}`, nameOf(request));
  }
  response.body.destroy();
  if (status === 401 || status === 403) {
    throw new UcpFailure(ExitCode.ucpRefused, `UCP ${url} refused user ${username} or the password (${status})`, {
      status,
    });
  }
  const answered = `UCP ${url} answered ${nameOf(request)} with ${status}`;
  throw unreachable(answered, { status, isTransient: isTransientStatus(status) });
}
