/** A TCP proxy that lies: what the server sends has other bytes in one place. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

export interface AlteringProxy extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
}

/** Puts `to`, of the same length, in the place of each `from` that comes in one piece. */
export async function startAlteringProxy(
  target: { readonly host: string; readonly port: number },
  { from, to }: { readonly from: Buffer; readonly to: Buffer },
): Promise<AlteringProxy> {
  if (from.length !== to.length) throw new Error('an answer says how long it is: only as much can be put in');
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      const close = (): void => [client, upstream].forEach((one) => one.destroy());
      socket.on('error', close).on('close', close);
    }
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const at = chunk.indexOf(from);
      if (at >= 0) to.copy(chunk, at);
      client.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
