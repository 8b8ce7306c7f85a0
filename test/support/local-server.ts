/** A TCP server on the loopback interface that leaves nothing open when it is disposed of. */
import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';

export interface LocalServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

export interface LocalServerOptions {
  /** 127.0.0.1 when left out. */
  readonly host?: string;
  /** A free one when left out. */
  readonly port?: number;
}

/**
 * Resolves when it listens. `accept` gets each connection, whose errors only close it. Disposing destroys the connections,
 * and with each the socket that `accept` returned for it, if it did.
 */
export async function startLocalServer(
  accept: (client: Socket) => unknown,
  { host = '127.0.0.1', port = 0 }: LocalServerOptions = {},
): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = accept(client);
    const both = upstream instanceof Socket ? [client, upstream] : [client];
    const destroy = (): void => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      sockets.add(socket);
      socket.on('error', destroy).on('close', () => {
        sockets.delete(socket);
        destroy();
      });
    }
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
