/**
 * What this project knows of rethinkdb-ts 3.0.0 beyond its declared types, and what its errors mean. The version is
 * pinned exactly because of this file; the tests of backups notice when it stops being true.
 */
import type { Socket } from 'node:net';
import {
  isRethinkDBError,
  RethinkDBErrorType,
  type Connection,
  type RethinkDBError,
  type RQuery,
  type RServerConnectionOptions,
} from 'rethinkdb-ts';
import { RethinkDBConnection } from 'rethinkdb-ts/lib/connection/connection.js';
import { errorCode, errorText } from '../base/errors.js';
import { printable } from '../base/printable.js';
import type { RethinkdbUser } from '../model/replica-access.js';

/** A connection with the call that opens a query so that an error in the first batch is thrown, not swallowed. */
export interface DriverConnection extends Connection {
  query(term: unknown, options: RawOptions): Promise<DriverCursor>;
  readonly socket: DriverSocket;
}

/** What the driver keeps of a connection: `socket` while it is open, and by token where each answer goes. */
export interface DriverSocket {
  readonly socket: Socket | undefined;
  /** What has come in of the next answer. */
  readonly buffer: Buffer;
  readonly runningQueries: ReadonlyMap<number, { readonly data: { enqueue(answer: unknown): void } }>;
}

/** The driver's cursor, batch-wise: `resolve()` waits for one batch and says in `hasNextBatch` whether it was the last. */
export interface DriverCursor {
  resolve(): Promise<unknown[]>;
  close(): Promise<void>;
  readonly hasNextBatch: boolean;
  readonly token: number;
  /** `continueQuery` asks the server for the next batch. */
  readonly conn: { continueQuery(token: number): void };
}

/** Pseudo-types as they are: the driver's native TIME and BINARY lose precision. */
export const rawOptions = { timeFormat: 'raw', binaryFormat: 'raw', groupFormat: 'raw' } as const;
export type RawOptions = typeof rawOptions;

/** The query's term as it goes over the wire. */
export function termOf(query: RQuery): unknown {
  return (query as unknown as { readonly term: unknown }).term;
}

/** A connection of no use any more, where the driver does not say so: silent for too long, or closed while it was made. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

export interface ConnectOptions {
  readonly server: RServerConnectionOptions;
  readonly user: RethinkdbUser;
  readonly timeoutMs: number;
}

/**
 * Connects. Throws what ended the connection, as far as anybody said: `r.connect` itself would tell that it was closed,
 * where the server has sent a TLS alert before.
 */
export async function connect({ server, user, timeoutMs }: ConnectOptions): Promise<DriverConnection> {
  const connection = new RethinkDBConnection(server, {
    // SCRAM's escapes (RFC 5802, `saslname`), which the driver leaves out. RethinkDB 2.4 loses the character after one.
    user: user.name.replaceAll('=', '=3D').replaceAll(',', '=2C'),
    password: user.password.reveal(),
    timeout: timeoutMs / 1000,
    silent: true,
  });
  let reason: unknown;
  connection.on('close', (error: unknown) => (reason ??= error));
  try {
    return (await connection.reconnect()) as unknown as DriverConnection;
  } catch (error) {
    throw connectFailure(reason ?? error, 'tls' in server);
  }
}

/**
 * What a failure to connect means. While the driver computes its proof of the password it does not watch the
 * connection, and then writes into none.
 */
function connectFailure(error: unknown, isTls: boolean): unknown {
  const isSocketGone = error instanceof TypeError && error.message.includes("reading 'write'");
  if (isSocketGone) return new ConnectionLost('the connection was closed while it was being made');
  const isClosed = isRethinkDBError(error) && error.type === RethinkDBErrorType.CONNECTION;
  if (!isTls || !isClosed) return error;
  // Servers that check certificates after the handshake (Node's do) may say nothing more.
  return new ConnectionLost('the connection was closed without an answer; is the client certificate accepted there?');
}

/** Whether the server refused the user or the password; while it shakes hands, the driver takes all it hears for JSON. */
export function isAuthRefusal(error: unknown): boolean {
  return isRethinkDBError(error) && error.type === RethinkDBErrorType.AUTH && !(causeOf(error) instanceof SyntaxError);
}

export function isPermissionError(error: unknown): boolean {
  return isRethinkDBError(error) && error.type === RethinkDBErrorType.PERMISSION_ERROR;
}

const transientCodes: readonly string[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // A name on an overlay network that was joined a moment ago.
  'ENOTFOUND',
  'EAI_AGAIN',
];

const transientTypes: readonly RethinkDBErrorType[] = [RethinkDBErrorType.CONNECTION, RethinkDBErrorType.TIMEOUT];

/**
 * Of a table that is not available now: no primary replica, no quorum, contact lost in the middle (every
 * `query_state_t` of RethinkDB 2.4 becomes one of the two).
 */
const availabilityTypes: readonly RethinkDBErrorType[] = [
  RethinkDBErrorType.OP_FAILED,
  RethinkDBErrorType.OP_INDETERMINATE,
];

/**
 * What waiting cannot help, though it comes with the type OP_FAILED: the name of nothing, or of something else. Only
 * spares the wait: an answer that is not in here is waited for in vain, and told in the end.
 */
const isForGood = /does not exist|already exists|is ambiguous|was not found|write hook/;

/**
 * Whether the same question may be answered a little later, on a new connection: the old one was lost, or the table is
 * not available now.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  const code = errorCode(error);
  if (code !== undefined) return transientCodes.includes(code);
  if (!isRethinkDBError(error)) return false;
  return (
    transientTypes.includes(error.type) ||
    (availabilityTypes.includes(error.type) && !isForGood.test(ownMessage(error)))
  );
}

/** Whether the server, by its answer, does not know the question: an older one, or the embedded one. */
export function isUnknownTerm(error: unknown): boolean {
  const types = [RethinkDBErrorType.UNKNOWN, RethinkDBErrorType.QUERY_LOGIC, RethinkDBErrorType.INTERNAL];
  return isRethinkDBError(error) && types.includes(error.type);
}

/**
 * Whether the server, by its answer, does not know one of the options of a command. RethinkDB says it so since 1.x
 * (op.cc), with no code of its own; no other answer means the same.
 */
export function isUnknownOption(error: unknown): boolean {
  return isRethinkDBError(error) && ownMessage(error).startsWith('Unrecognized optional argument `');
}

/** What RethinkDB or the driver said, without the query that the driver appends to it. */
function ownMessage(error: RethinkDBError): string {
  const { msg } = error as unknown as { readonly msg?: unknown };
  return typeof msg === 'string' ? msg.replace(/:$/, '') : error.message;
}

function causeOf(error: RethinkDBError): unknown {
  return (error as unknown as { readonly cause?: unknown }).cause;
}

/** The same in one line, or the text of any other error. */
export function rethinkErrorText(error: unknown): string {
  if (!isRethinkDBError(error)) return errorText(error);
  const text = errorText(ownMessage(error));
  if (!(causeOf(error) instanceof SyntaxError)) return text;
  return `it does not speak RethinkDB’s protocol, but says "${printable(text.trim())}"`;
}

/**
 * Why RethinkDB refused a write, without what it quotes of the document, which may be a private key: it quotes texts
 * (`Primary key too long …: "…"`), objects (`Duplicate primary key …: {…}`) and JSON it cannot read.
 */
export function refusalText(refused: unknown): string {
  const text = typeof refused === 'string' ? errorText(refused) : rethinkErrorText(refused);
  return text.startsWith('Failed to parse') ? 'it is not JSON' : text.replace(/[:\s]*["{[][^]*$/, '');
}
