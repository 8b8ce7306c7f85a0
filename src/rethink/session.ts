/**
 * A session with one RethinkDB server: opens its connection when it is needed, opens a new one when the old is lost,
 * and bounds every wait. One question or one cursor at a time.
 */
import { r, type RQuery, type RServerConnectionOptions } from 'rethinkdb-ts';
import { abortable, withTimeout } from '../base/deadline.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { retry } from '../base/retry.js';
import { Secret } from '../base/secret.js';
import { type RethinkdbUser, formatAddress, type RethinkdbAddress, type TlsIdentity } from '../model/replica-access.js';
import {
  connect,
  ConnectionLost,
  isAuthRefusal,
  isPermissionError,
  isTransient,
  rawOptions,
  rethinkErrorText,
  type DriverConnection,
} from './driver.js';
import { assertIdentity, certificateRefusal } from './tls.js';

export interface RethinkdbOptions {
  readonly address: RethinkdbAddress;
  /** Absent: plaintext. */
  readonly tls?: TlsIdentity;
  /** Accepts any server certificate. */
  readonly insecureSkipVerify: boolean;
  /** RethinkDB's own `admin` without a password when left out. */
  readonly user?: RethinkdbUser;
  /** How long the server may be away, at the start and in the middle, before the run fails. */
  readonly connectWindowMs: number;
  /** How long one read may give nothing. */
  readonly readTimeoutMs: number;
}

/** The longest that one try to connect may take; the window above may span several tries. */
const connectTryMs = 10_000;

export class RethinkSession implements AsyncDisposable {
  readonly #options: RethinkdbOptions;
  readonly #log: Log;
  readonly #signal: AbortSignal;
  #connection: DriverConnection | undefined;

  constructor(options: RethinkdbOptions, { log, signal }: { readonly log: Log; readonly signal: AbortSignal }) {
    this.#options = options;
    this.#log = log;
    this.#signal = signal;
  }

  /** The server's address, for messages. */
  get name(): string {
    return `RethinkDB at ${formatAddress(this.#options.address)}`;
  }

  /**
   * Another session with the same server, for work side by side, or for work that another signal stops. The caller
   * disposes of it.
   */
  another(signal = this.#signal): RethinkSession {
    return new RethinkSession(this.#options, { log: this.#log, signal });
  }

  /** What to throw for a failure to `what`: a JobError with exit code 7, or the reason the run was told to stop. */
  failure(what: string, error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    if (error instanceof JobError) return error;
    const text = rethinkErrorText(error);
    const reason = isPermissionError(error) ? `${text.replace(/\.$/, '')}: give another with --rethinkdb-user` : text;
    return new JobError(ExitCode.rethinkdb, `cannot ${what}: ${reason}`, { cause: error });
  }

  /**
   * Connects, within the window. Throws a JobError with exit code 7, at once where its TLS files are of no use, or where
   * the server refuses them, the user or the password.
   */
  async connect(): Promise<void> {
    const { tls, insecureSkipVerify } = this.#options;
    if (tls === undefined)
      this.#log.warn(`${this.name} is spoken to without TLS: it could be anybody, and be overheard`);
    else if (insecureSkipVerify) this.#log.warn(`The certificate of ${this.name} is not checked: it could be anybody`);
    try {
      if (tls !== undefined) assertIdentity(tls, new Date());
      await this.withReconnect(() => Promise.resolve());
    } catch (error) {
      throw this.failure(`connect to ${this.name}`, error);
    }
  }

  /** Asks one question with a small answer. Repeated while the server is away; throws what it said otherwise. */
  async ask<T>(query: RQuery<T>): Promise<T> {
    return this.withReconnect(async (connection) => this.bounded(query.run(connection, rawOptions)));
  }

  /**
   * Runs `attempt` on an open connection, again on a new one while the failure is a lost connection, until the server
   * has been away for the connect window. Throws a JobError with exit code 7 then; other failures as they are.
   */
  async withReconnect<T>(attempt: (connection: DriverConnection) => Promise<T>): Promise<T> {
    try {
      return await retry(async () => attempt(await this.#open()), {
        deadlineMs: this.#options.connectWindowMs,
        signal: this.#signal,
        isTransient,
        onRetry: (error, tries) => {
          this.drop();
          const reason = rethinkErrorText(error);
          if (tries === 1) this.#log.warn(`Waiting for ${this.name}: ${reason}`);
          else this.#log.debug(`Still waiting for ${this.name}: ${reason}`);
        },
      });
    } catch (error) {
      if (!isTransient(error)) throw error;
      const seconds = this.#options.connectWindowMs / 1000;
      const message = `${this.name} did not answer within ${seconds} s: ${rethinkErrorText(error)}`;
      throw new JobError(ExitCode.rethinkdb, message, { cause: error });
    }
  }

  /** Bounds one read: gives up with ConnectionLost when nothing came in time, and drops the connection. */
  async bounded<T>(read: Promise<T>): Promise<T> {
    const { readTimeoutMs } = this.#options;
    const onTimeout = (): ConnectionLost => {
      this.drop();
      return new ConnectionLost(`no answer for ${readTimeoutMs / 1000} s`);
    };
    return withTimeout(read, readTimeoutMs, onTimeout, this.#signal);
  }

  /**
   * Waits for `read` as long as the server answers other questions on the same connection: asked whenever nothing came
   * for half the time that a read may take. Gives up with ConnectionLost when such an answer does not come, or with the
   * error of the connection.
   */
  async whileAlive<T>(read: Promise<T>, connection: DriverConnection): Promise<T> {
    for (;;) {
      const quiet = new Error('quiet');
      try {
        return await withTimeout(read, this.#options.readTimeoutMs / 2, () => quiet, this.#signal);
      } catch (error) {
        if (error !== quiet) throw error;
        await this.assertAlive(connection);
      }
    }
  }

  /** Resolves when the server has answered on this connection. Throws ConnectionLost, or the error of the connection. */
  async assertAlive(connection: DriverConnection): Promise<void> {
    await this.bounded(r.expr(true).run(connection, rawOptions));
  }

  /** Forgets the connection; the next question opens a new one. */
  drop(): void {
    // Closing destroys the socket first and can only fail by finding it gone.
    this.#connection?.close().catch(() => undefined);
    this.#connection = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    return Promise.resolve();
  }

  async #open(): Promise<DriverConnection> {
    if (this.#connection?.open) return this.#connection;
    const giveUp = new AbortController();
    try {
      const server = this.#serverOptions(giveUp.signal);
      const timeoutMs = Math.min(connectTryMs, Math.max(1000, this.#options.connectWindowMs));
      const connecting = connect({ server, user: this.#user, timeoutMs });
      this.#connection = await abortable(connecting, this.#signal);
      return this.#connection;
    } catch (error) {
      // The driver forgets a socket that is still connecting; left alone it would keep the process alive.
      giveUp.abort();
      throw this.#refusal(error) ?? error;
    }
  }

  get #user(): RethinkdbUser {
    return this.#options.user ?? { name: 'admin', password: new Secret('') };
  }

  /** Where the server has said that it does not want us: to be told at once, for it will not want us later either. */
  #refusal(error: unknown): JobError | undefined {
    const certificate = certificateRefusal(error);
    if (certificate !== undefined) {
      return new JobError(ExitCode.rethinkdb, `${this.name} refuses the connection: ${certificate}`, { cause: error });
    }
    if (!isAuthRefusal(error)) return undefined;
    const advice =
      'give them with --rethinkdb-user and MSR_RETHINKDB_PASSWORD, or a file named by MSR_RETHINKDB_PASSWORD_FILE';
    const said = `${this.name} refuses user ${this.#user.name} or the password (${rethinkErrorText(error)})`;
    return new JobError(ExitCode.rethinkdb, `${said}: ${advice}`, { cause: error });
  }

  #serverOptions(signal: AbortSignal): RServerConnectionOptions {
    const { address, tls, insecureSkipVerify } = this.#options;
    // Node's sockets take `signal`, TLS ones too; the types of tls.connect do not say so.
    const target: RethinkdbAddress = Object.assign({ signal }, address);
    if (tls === undefined) return target;
    const { ca, cert, key, passphrase } = tls;
    return {
      ...target,
      tls: true,
      rejectUnauthorized: !insecureSkipVerify,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key: key.reveal() }),
      ...(passphrase !== undefined && { passphrase: passphrase.reveal() }),
    };
  }
}
