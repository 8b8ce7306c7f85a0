/** A TCP proxy that stands between the program and a server and breaks what flows from the server, or holds what flows to it. */
import { connect, type Socket } from 'node:net';
import { startLocalServer, type LocalServer, type LocalServerOptions } from './local-server.js';

export interface TcpProxy extends LocalServer {
  /** Connections taken so far. */
  readonly connections: number;
  /** Resolves when `holdAfterBytes` have gone to the server. */
  readonly held: Promise<void>;
  /** Passes on what was held, and everything after it. */
  release(): void;
}

export interface ProxyOptions extends LocalServerOptions {
  /**
   * How many bytes each connection may carry from the server before it is cut, in order of connection; connections
   * after the last are never cut.
   */
  readonly cutAfterBytes?: readonly number[];
  /** Passes what the server sends on in pieces of this size. */
  readonly pieceBytes?: number;
  /** Passes what the server sends on so much later. */
  readonly delayMs?: number;
  /** When all connections together have sent so much to the server, no more is passed on until `release()`. */
  readonly holdAfterBytes?: number;
  /** After so many bytes of a connection: nothing more comes (`stall`), or the server seems to have ended (`half-close`). */
  readonly stopAfterBytes?: { readonly bytes: number; readonly how: 'stall' | 'half-close' };
  /** Puts `to`, of the same length, in the place of each `from` that the server sends in one piece. */
  readonly alter?: { readonly from: Buffer; readonly to: Buffer };
}

export async function startTcpProxy(
  target: { readonly host: string; readonly port: number },
  options: ProxyOptions = {},
): Promise<TcpProxy> {
  const { alter } = options;
  if (alter?.from.length !== alter?.to.length)
    throw new Error('an answer says how long it is: only as much can be put in');
  let connections = 0;
  let untilHold = options.holdAfterBytes ?? Infinity;
  const clients = new Set<Socket>();
  let tellHeld = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    tellHeld = resolve;
  });
  const accept = (client: Socket): Socket => {
    const upstream = connect(target);
    let left = options.cutAfterBytes?.[connections] ?? Infinity;
    connections += 1;
    clients.add(client.on('close', () => clients.delete(client)));
    client.on('data', (chunk: Buffer) => {
      upstream.write(chunk);
      untilHold -= chunk.length;
      if (untilHold > 0) return;
      for (const one of clients) one.pause();
      tellHeld();
    });
    client.on('end', () => upstream.end());
    if (untilHold <= 0) client.pause();
    const { delayMs = 0, stopAfterBytes: stop } = options;
    let untilStop = stop?.bytes ?? Infinity;
    upstream.on('data', (whole: Buffer) => {
      const alteredAt = alter === undefined ? -1 : whole.indexOf(alter.from);
      if (alteredAt >= 0) alter?.to.copy(whole, alteredAt);
      const chunk = whole.subarray(0, untilStop);
      if (untilStop > 0 && untilStop <= whole.length && stop?.how === 'half-close') setImmediate(() => client.end());
      untilStop -= chunk.length;
      if (chunk.length === 0) return;
      if (delayMs > 0) setTimeout(pass, delayMs, chunk);
      else pass(chunk);
    });
    const pass = (chunk: Buffer): void => {
      if (client.destroyed || client.writableEnded) return;
      const passed = chunk.subarray(0, left);
      left -= passed.length;
      const size = options.pieceBytes ?? Math.max(1, passed.length);
      for (let offset = 0; offset < passed.length; offset += size) client.write(passed.subarray(offset, offset + size));
      if (left <= 0) client.resetAndDestroy();
    };
    return upstream;
  };
  const server = await startLocalServer(accept, options);
  return {
    ...server,
    get connections() {
      return connections;
    },
    held,
    release() {
      untilHold = Infinity;
      for (const client of clients) client.resume();
    },
  };
}
