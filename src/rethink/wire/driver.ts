/**
 * Opens connections with rethinkdb-ts 3.0.0 (socket, TLS, handshake) and translates its errors; the queries go over the
 * socket without it. The version is pinned because of the undeclared parts used here.
 */
import { isRethinkDBError, RethinkDBErrorType, type RQuery, type RServerConnectionOptions } from 'rethinkdb-ts';
import { RethinkDBConnection } from 'rethinkdb-ts/lib/connection/connection.js';
import { printable } from '../../base/printable.js';
import type { RethinkdbUser } from '../../model/replica-access.js';
import { clientCertificateAlert } from '../../base/client-certificate.js';
import { ServerNameError } from '../tls.js';
import { ConnectionLostError, WireConnection } from './connection.js';
import type { RawTerm } from './term.js';

interface ConnectOptions {
  readonly server: RServerConnectionOptions;
  readonly user: RethinkdbUser;
  readonly timeoutMs: number;
}

/** Client and server do not accept each other, and will not later: the message says why (`refuses …`) and what to do. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Throws a RefusedError, a ConnectionLostError, or the error of the socket or TLS. The caller closes the connection. */
export async function connect({ server, user, timeoutMs }: ConnectOptions): Promise<WireConnection> {
  const driver = new RethinkDBConnection(server, {
    // SCRAM's escapes (RFC 5802, `saslname`), which the driver omits. RethinkDB 2.4 loses the character after one.
    user: user.name.replaceAll('=', '=3D').replaceAll(',', '=2C'),
    password: user.password.reveal(),
    timeout: timeoutMs / 1000,
    silent: true,
  });
  // The driver's error says only that the connection was closed; the 'close' event has the server's TLS alert.
  let reason: unknown;
  driver.on('close', (error: unknown) => (reason ??= error));
  try {
    await driver.reconnect();
  } catch (error) {
    const hasClientPair = 'cert' in server && server.cert !== undefined;
    throw connectError(reason ?? error, { isTls: 'tls' in server, hasClientPair, user: user.name });
  }
  const { socket } = driver.socket;
  if (socket === undefined) throw closedWhileConnecting();
  return new WireConnection(socket);
}

interface Attempt {
  readonly isTls: boolean;
  readonly hasClientPair: boolean;
  readonly user: string;
}

const pairAdvice = 'give another pair with --rethinkdb-client-cert and --rethinkdb-client-key';

function connectError(error: unknown, { isTls, hasClientPair, user }: Attempt): unknown {
  const alert = clientCertificateAlert(error, hasClientPair);
  if (alert !== undefined) {
    return new RefusedError(`refuses the connection: ${alert}: ${pairAdvice}`, { cause: error });
  }
  if (error instanceof ServerNameError) return new RefusedError(`has ${error.message}`, { cause: error });
  // The driver computes its proof of the password without watching the socket, and then writes into a closed one.
  if (error instanceof TypeError && !('code' in error)) return closedWhileConnecting();
  if (!isRethinkDBError(error)) return error;
  const { msg, cause, type } = error as unknown as { msg: string; cause: unknown; type: RethinkDBErrorType };
  if (type === RethinkDBErrorType.AUTH && cause instanceof SyntaxError) {
    return new Error(`it does not speak RethinkDB’s protocol, but says "${printable(msg.trim())}"`);
  }
  if (type === RethinkDBErrorType.AUTH) {
    const settings = '--rethinkdb-user and MSR_RETHINKDB_PASSWORD, or a file named by MSR_RETHINKDB_PASSWORD_FILE';
    return new RefusedError(`refuses user ${user} or the password (${msg}): give them with ${settings}`, {
      cause: error,
    });
  }
  if (type === RethinkDBErrorType.TIMEOUT) return new ConnectionLostError(msg);
  if (type !== RethinkDBErrorType.CONNECTION) return new Error(msg);
  return isTls ? new SilentCloseError() : closedWhileConnecting();
}

/**
 * The server closed the connection after the handshake of TLS, without a word. Those that check a client's certificate
 * only then (Node's do) refuse it in this way, but it may be an accident as well.
 */
export class SilentCloseError extends ConnectionLostError {
  constructor() {
    super('the connection was closed without an answer; is the client certificate accepted there?');
  }

  /** Where it is no accident. */
  asRefusal(): RefusedError {
    const what = 'it closes each connection without an answer, as servers do that do not accept the client certificate';
    return new RefusedError(`refuses the connection: ${what}; ${pairAdvice}`, { cause: this });
  }
}

function closedWhileConnecting(): ConnectionLostError {
  return new ConnectionLostError('the connection was closed while it was being made');
}

/** The query as it goes over the wire. */
export function termOf(query: RQuery | RawTerm): RawTerm {
  if (Array.isArray(query)) return query as RawTerm;
  return [JSON.stringify((query as unknown as { readonly term: unknown }).term)];
}
