/**
 * Opens connections with rethinkdb-ts 3.0.0 (socket, TLS, handshake) and translates its errors; the queries go over the
 * socket without it. The version is pinned because of the undeclared parts used here.
 */
import { isRethinkDBError, RethinkDBErrorType, type RQuery, type RServerConnectionOptions } from 'rethinkdb-ts';
import { RethinkDBConnection } from 'rethinkdb-ts/lib/connection/connection.js';
import { printable } from '../../base/printable.js';
import type { RethinkdbUser } from '../../model/replica-access.js';
import { ConnectionLostError, WireConnection } from './connection.js';
import type { RawTerm } from './term.js';

export interface ConnectOptions {
  readonly server: RServerConnectionOptions;
  readonly user: RethinkdbUser;
  readonly timeoutMs: number;
}

/** The server refused the user or the password. */
export class AuthRefusedError extends Error {
  override readonly name = 'AuthRefusedError';
}

/** Throws an AuthRefusedError, a ConnectionLostError, or the error of the socket or TLS. The caller closes the connection. */
export async function connect({ server, user, timeoutMs }: ConnectOptions): Promise<WireConnection> {
  const driver = new RethinkDBConnection(server, {
    // SCRAM's escapes (RFC 5802, `saslname`), which the driver omits. RethinkDB 2.4 loses the character after one.
    user: user.name.replaceAll('=', '=3D').replaceAll(',', '=2C'),
    password: user.password.reveal(),
    timeout: timeoutMs / 1000,
    silent: true,
  });
  // What the driver throws says only that the connection was closed, where a TLS alert of the server told why.
  let reason: unknown;
  driver.on('close', (error: unknown) => (reason ??= error));
  try {
    await driver.reconnect();
  } catch (error) {
    throw connectError(reason ?? error, 'tls' in server);
  }
  const { socket } = driver.socket;
  if (socket === undefined) throw closedWhileConnecting();
  return new WireConnection(socket);
}

function connectError(error: unknown, isTls: boolean): unknown {
  // The driver computes its proof of the password without watching the socket, and then writes into a closed one.
  if (error instanceof TypeError && !('code' in error)) return closedWhileConnecting();
  if (!isRethinkDBError(error)) return error;
  const { msg, cause, type } = error as unknown as { msg: string; cause: unknown; type: RethinkDBErrorType };
  if (type === RethinkDBErrorType.AUTH && cause instanceof SyntaxError) {
    return new Error(`it does not speak RethinkDB’s protocol, but says "${printable(msg.trim())}"`);
  }
  if (type === RethinkDBErrorType.AUTH) return new AuthRefusedError(msg);
  if (type === RethinkDBErrorType.TIMEOUT) return new ConnectionLostError(msg);
  if (type !== RethinkDBErrorType.CONNECTION) return new Error(msg);
  // Servers that check certificates after the handshake (Node's do) may close the connection without an alert.
  const advice = isTls ? ' without an answer; is the client certificate accepted there?' : ' while it was being made';
  return new ConnectionLostError(`the connection was closed${advice}`);
}

function closedWhileConnecting(): ConnectionLostError {
  return new ConnectionLostError('the connection was closed while it was being made');
}

/** The query as it goes over the wire. */
export function termOf(query: RQuery | RawTerm): RawTerm {
  if (Array.isArray(query)) return query as RawTerm;
  return [JSON.stringify((query as unknown as { readonly term: unknown }).term)];
}
