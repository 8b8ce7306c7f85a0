/** The way to one server: connects when it is first needed, and again whenever the connection is lost. */
import { withTimeout, abortable } from '../../base/deadline.js';
import { errorCode, errorText } from '../../base/errors.js';
import { retry } from '../../base/retry.js';
import { createHostKeyCheck, type HostKeyCheck } from './host-key.js';
import { ConnectionFault, HandshakeFault, isTransient } from './sftp-errors.js';
import { SftpSession } from './sftp-session.js';
import type { SftpSettings, SignIn } from './sftp-settings.js';
import { logIn, type SftpChannel } from './ssh-login.js';

interface SftpConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly signIn: SignIn;
  readonly settings: SftpSettings;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  /** What messages call the server. */
  readonly name: string;
}

/** Of one try to connect. */
const connectTimeoutMs = 10_000;
const minConnectTimeoutMs = 2000;

export class SftpConnection implements AsyncDisposable {
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly name: string;
  readonly #options: SftpConnectionOptions;
  readonly #hostKeys: HostKeyCheck;
  readonly #closing = new AbortController();
  #live: SftpSession | undefined;
  #connecting: Promise<SftpSession> | undefined;
  readonly #said = new Set<string>();
  #wasConnected = false;
  #isWarned = false;

  constructor(options: SftpConnectionOptions) {
    const { settings, host, port } = options;
    this.#options = options;
    this.signal = options.signal;
    this.warn = options.warn;
    this.name = options.name;
    this.#hostKeys = createHostKeyCheck({ host, port, ...settings });
  }

  /**
   * Runs `step` in a session, and again in another when the connection is lost or cannot be made: only for what may be
   * repeated. Rejects with what `step` throws, with a ConnectionFault when no connection has served it `connectWindowMs`
   * after the first failure, or with the reason of the signal, by default the run's.
   */
  async run<T>(step: (session: SftpSession) => Promise<T>, signal = this.signal): Promise<T> {
    const attempt = async (): Promise<T> => {
      const session = await abortable(this.#session(), signal);
      return abortable(step(session), signal);
    };
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const { connectWindowMs: deadlineMs } = this.#options.settings;
      if (signal.aborted || !this.#mayPass(error) || deadlineMs <= 0) throw error;
      this.#warnOfRetry(error);
      try {
        return await retry(attempt, { deadlineMs, signal, isTransient: (later) => this.#mayPass(later) });
      } catch (later) {
        throw withFirstFault(error, later);
      }
    }
  }

  /** For what holds for the server, and would be said again for every file. */
  warnOnce(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.warn(message);
  }

  /** Never throws; takes a second at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new ConnectionFault('the store is closed', false));
    await this.#connecting?.catch(() => undefined);
    await this.#live?.[Symbol.asyncDispose]();
  }

  /** A host name that was known is known again later. */
  #mayPass(error: unknown): boolean {
    return isTransient(error) || (this.#wasConnected && errorCode(error) === 'ENOTFOUND');
  }

  #warnOfRetry(error: unknown): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.warn(`${this.name}: ${(error as Error).message}; connecting again`);
  }

  /** The one that lives, or the one that is being made, for all who ask. */
  async #session(): Promise<SftpSession> {
    this.#closing.signal.throwIfAborted();
    if (this.#live?.isLost === false) return this.#live;
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  async #connect(): Promise<SftpSession> {
    const channel = await this.#logIn();
    this.#wasConnected = true;
    this.#isWarned = false;
    this.#live = new SftpSession(channel, this.#options.settings.readTimeoutMs);
    return this.#live;
  }

  /** With each of the offers until the server shows a key that is trusted. */
  async #logIn(): Promise<SftpChannel> {
    const { host, port, signIn, settings } = this.#options;
    const login = {
      host,
      port,
      ...signIn,
      isTrusted: (key: Buffer) => this.#hostKeys.isTrusted(key),
      timeoutMs: Math.min(connectTimeoutMs, Math.max(minConnectTimeoutMs, settings.connectWindowMs)),
      signal: this.#closing.signal,
    };
    const faults: HandshakeFault[] = [];
    for (const algorithms of this.#hostKeys.offers) {
      try {
        return await logIn({ ...login, algorithms });
      } catch (error) {
        if (!(error instanceof HandshakeFault)) throw error;
        faults.push(error);
      }
    }
    const keys = faults.map(({ key }) => key).filter((key) => key !== undefined);
    if (keys.length > 0) throw new ConnectionFault(this.#hostKeys.refusal(keys), false, { cause: faults[0] });
    throw new ConnectionFault(`no handshake with the server: ${errorText(faults[0])}`, false, { cause: faults[0] });
  }
}

/** Why no connection could be made again matters as much as why the first one was lost. */
function withFirstFault(first: unknown, later: unknown): unknown {
  if (!(later instanceof ConnectionFault) || errorText(first) === errorText(later)) return later;
  const text = `${(first as Error).message}; and connecting again: ${later.message}`;
  return new ConnectionFault(text, later.isTransient, { cause: later });
}

/** For what is tidied up after a failure or an abort. */
const cleanupMs = 3000;

/** Runs a step of clean-up, also after the run was aborted, within three seconds. */
export function runCleanup(
  connection: SftpConnection,
  step: (session: SftpSession) => Promise<unknown>,
): Promise<unknown> {
  const late = new Error(`no answer within ${cleanupMs / 1000} s`);
  const controller = new AbortController();
  return withTimeout(connection.run(step, controller.signal), cleanupMs, () => {
    controller.abort(late);
    return late;
  });
}
