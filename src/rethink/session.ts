/**
 * A session with one RethinkDB server: opens its connection when it is needed, opens a new one when the old is lost,
 * and limits every wait. One query or one cursor at a time.
 */
import { r, type RQuery, type RServerConnectionOptions } from 'rethinkdb-ts';
import { z } from 'zod';
import { abortable, withTimeout } from '../base/deadline.js';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { retry } from '../base/retry.js';
import { Secret } from '../base/secret.js';
import { formatAddress, type RethinkdbAddress, type RethinkdbUser, type TlsIdentity } from '../model/replica-access.js';
import { isTransient, QueryError } from './errors.js';
import { assertIdentity, trustOptions } from './tls.js';
import { ReqlError } from './wire/answer.js';
import { BatchCursor } from './wire/batch-cursor.js';
import { ConnectionLostError, type WireConnection } from './wire/connection.js';
import { connect, RefusedError, SilentCloseError, termOf } from './wire/driver.js';
import type { RawTerm } from './wire/term.js';

interface RethinkdbOptions {
  readonly address: RethinkdbAddress;
  /** Absent: plaintext. */
  readonly tls?: TlsIdentity | undefined;
  /** Accepts any server certificate. */
  readonly insecureSkipVerify: boolean;
  /** In the server's certificate; that of the address when left out. */
  readonly serverName?: string | undefined;
  /** RethinkDB's own `admin` without a password when left out. */
  readonly user?: RethinkdbUser | undefined;
  /** How long the server may be away, at the start and later, before the run fails. */
  readonly connectWindowMs: number;
  /** Timeout of one read that gets no data. */
  readonly readTimeoutMs: number;
}

/** Limit of one attempt to connect; the connect window may hold several. */
const maxConnectMs = 10_000;

/** So many at the start are no accident: a server that is starting or ending does not complete the TLS handshake. */
const maxSilentCloses = 3;

export class RethinkSession implements AsyncDisposable {
  readonly log: Log;
  readonly #options: RethinkdbOptions;
  readonly #user: RethinkdbUser;
  readonly #signal: AbortSignal;
  #connection: WireConnection | undefined;
  /** Since the start; undefined once the server has accepted us, which it will again. */
  #silentCloses: number | undefined = 0;

  constructor(options: RethinkdbOptions, { log, signal }: { readonly log: Log; readonly signal: AbortSignal }) {
    this.log = log;
    this.#options = options;
    this.#user = options.user ?? { name: 'admin', password: new Secret('') };
    this.#signal = signal;
  }

  /** The server's address, for messages. */
  get name(): string {
    return `RethinkDB at ${formatAddress(this.#options.address)}`;
  }

  /** Another session with the same server, for concurrent work, or with a signal of its own. The caller disposes of it. */
  another(signal = this.#signal): RethinkSession {
    const session = new RethinkSession(this.#options, { log: this.log, signal });
    session.#silentCloses = this.#silentCloses;
    return session;
  }

  /** What to throw where `what` failed: a JobError with exit code 7 (or the one that `error` is), or the signal's reason. */
  failure(what: string, error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    if (error instanceof JobError) return error;
    if (error instanceof ReqlError) return new QueryError(what, error);
    const reason = error instanceof z.ZodError ? 'the server sent an answer of another shape' : errorText(error);
    return new JobError(ExitCode.rethinkdb, `cannot ${what}: ${reason}`, { cause: error });
  }

  /** Connects. Throws as `withReconnect`, at once where the TLS files cannot be used, or the server refuses the client. */
  async connect(): Promise<void> {
    const { tls, insecureSkipVerify } = this.#options;
    if (tls === undefined) this.log.warn(`No TLS to ${this.name}: it is not authenticated, and others can read along`);
    else if (insecureSkipVerify)
      this.log.warn(`The certificate of ${this.name} is not checked: any server is accepted`);
    await this.withReconnect(`connect to ${this.name}`, () => Promise.resolve());
  }

  /**
   * The answer to a query, a small one: its value, or all of its rows. Throws as `withReconnect`, also where the answer
   * is not of this schema.
   */
  async ask<T = unknown>(query: RQuery | RawTerm, what: string, schema: z.ZodType<T> = z.any()): Promise<T> {
    return this.withReconnect(what, async (connection) => schema.parse(await this.askOn(connection, query)));
  }

  /** Opens a cursor and waits for its first batch. Throws as `withReconnect`. */
  async openCursor(query: RQuery, what: string): Promise<BatchCursor> {
    const wait = (read: Promise<Buffer>): Promise<Buffer> => this.bounded(read);
    return this.withReconnect(what, (connection) => BatchCursor.open(connection, termOf(query), wait));
  }

  /** The answer on this connection, within the read timeout: for `withReconnect`. */
  async askOn(connection: WireConnection, query: RQuery | RawTerm): Promise<unknown> {
    return this.bounded(connection.ask(termOf(query)));
  }

  /**
   * Runs `attempt` on an open connection, again on a new one after a transient failure, until the server has been away
   * for the connect window. `what` completes "cannot …". Throws a QueryError where the server answers with an error, a
   * JobError with exit code 7 otherwise, or the signal's reason.
   */
  async withReconnect<T>(what: string, attempt: (connection: WireConnection) => Promise<T>): Promise<T> {
    const { connectWindowMs: deadlineMs } = this.#options;
    try {
      return await retry(async () => attempt(await this.#open()), {
        deadlineMs,
        signal: this.#signal,
        isTransient,
        onRetry: (error, tries) => {
          this.drop();
          const reason = errorText(error);
          if (tries === 1) this.log.warn(`Waiting for ${this.name}: ${reason}`);
          else this.log.debug(`Still waiting for ${this.name}: ${reason}`);
        },
      });
    } catch (error) {
      if (!isTransient(error)) throw this.failure(what, error);
      const message = `${this.name} did not answer within ${deadlineMs / 1000} s: ${errorText(error)}`;
      throw new JobError(ExitCode.rethinkdb, message, { cause: error });
    }
  }

  /** Limits one read to the read timeout: drops the connection then, and throws a ConnectionLostError. */
  async bounded<T>(read: Promise<T>): Promise<T> {
    const { readTimeoutMs } = this.#options;
    const onTimeout = (): ConnectionLostError => {
      this.drop();
      return new ConnectionLostError(`no answer for ${readTimeoutMs / 1000} s`);
    };
    return withTimeout(read, readTimeoutMs, onTimeout, this.#signal);
  }

  /**
   * Waits for `read` as long as the server answers other queries on the same connection: it is asked whenever nothing
   * came for half of the read timeout. Throws as `assertAlive`.
   */
  async whileAlive<T>(read: Promise<T>, connection: WireConnection): Promise<T> {
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

  /** Resolves when the server has answered on this connection. Throws a ConnectionLostError, or the signal's reason. */
  async assertAlive(connection: WireConnection): Promise<void> {
    await this.askOn(connection, r.expr(true));
  }

  /** Closes the connection; the next query opens a new one. */
  drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    return Promise.resolve();
  }

  async #open(): Promise<WireConnection> {
    if (this.#connection?.isOpen) return this.#connection;
    const giveUp = new AbortController();
    try {
      const server = this.#serverOptions(giveUp.signal);
      const timeoutMs = Math.min(maxConnectMs, Math.max(1000, this.#options.connectWindowMs));
      this.#connection = await abortable(connect({ server, user: this.#user, timeoutMs }), this.#signal);
      this.#silentCloses = undefined;
      return this.#connection;
    } catch (error) {
      // The driver forgets a socket that is still connecting, which would keep the process alive.
      giveUp.abort();
      const refusal = this.#asRefusal(error);
      if (refusal === undefined) throw error;
      throw new JobError(ExitCode.rethinkdb, `${this.name} ${refusal.message}`, { cause: refusal.cause });
    }
  }

  #asRefusal(error: unknown): RefusedError | undefined {
    if (error instanceof RefusedError) return error;
    if (!(error instanceof SilentCloseError) || this.#silentCloses === undefined) return undefined;
    this.#silentCloses += 1;
    return this.#silentCloses >= maxSilentCloses ? error.asRefusal() : undefined;
  }

  #serverOptions(signal: AbortSignal): RServerConnectionOptions {
    const { address, tls, insecureSkipVerify, serverName = address.host } = this.#options;
    // Node's sockets take `signal`, TLS ones too; the types of tls.connect do not say so.
    const target: RethinkdbAddress = Object.assign({ signal }, address);
    if (tls === undefined) return target;
    assertIdentity(tls, new Date());
    const { ca, cert, key, passphrase } = tls;
    const identity = { cert, key: key?.reveal(), passphrase: passphrase?.reveal() };
    const trust = { ...trustOptions(ca, serverName), rejectUnauthorized: !insecureSkipVerify };
    return { ...target, ...identity, ...trust, tls: true };
  }
}
