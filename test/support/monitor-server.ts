/** A monitor on loopback: records the pings it gets, and answers, redirects, hangs or closes as a test says. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RecordedPing {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A status, with where it redirects to; or no answer. */
export type Answer = number | { readonly status: number; readonly location: string } | 'hang' | 'close';

export interface MonitorServer extends AsyncDisposable {
  /** Ends in no slash. */
  readonly url: string;
  readonly host: string;
  readonly pings: readonly RecordedPing[];
  /** `GET /path`, in the order of arrival. */
  readonly calls: readonly string[];
}

export interface MonitorServerOptions {
  /** 200 when left out. */
  readonly answer?: (ping: RecordedPing) => Answer;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function startMonitorServer({
  answer = () => 200,
  tls,
}: MonitorServerOptions = {}): Promise<MonitorServer> {
  const pings: RecordedPing[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = request;
    const ping = { method, path, authorization: headers.authorization, body: await text(request) };
    pings.push(ping);
    const given = answer(ping);
    if (given === 'hang') return;
    if (given === 'close') request.socket.destroy();
    else if (typeof given === 'number') response.writeHead(given).end('an answer');
    else response.writeHead(given.status, { location: given.location }).end();
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    // A client that goes away in the middle of its request has not sent a ping.
    handle(request, response).catch(() => undefined);
  };
  const server = tls === undefined ? createHttpServer(onRequest) : createHttpsServer(tls, onRequest);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    pings,
    get calls() {
      return pings.map(({ method, path }) => `${method} ${path}`);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
