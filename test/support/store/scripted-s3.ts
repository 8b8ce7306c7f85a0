/**
 * A server that speaks S3 over real sockets, keeps objects in memory, and answers any request as a test wants: for faults
 * that no real server makes. It checks no signatures; s3rver and Swift do.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

export interface KeptObject {
  readonly body: Buffer;
  /** With quotation marks. */
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Exchange {
  /** `UploadPart`, or `HeadObject`. */
  readonly operation: string;
  /** How many of this operation came, with this one. */
  readonly count: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** Answers as S3 does. */
  readonly proceed: () => void;
  /** Closes the connection. */
  readonly cut: () => void;
}

/** Answers itself, or not at all, by giving true. */
export type Fault = (exchange: Exchange) => boolean;

export interface ScriptedS3 extends AsyncDisposable {
  readonly endpoint: string;
  /** By key, of the only bucket, `bucket`. */
  readonly objects: Map<string, KeptObject>;
  /** Parts by upload. */
  readonly uploads: Map<string, Map<number, Buffer>>;
  /** The operations that came, in order. */
  readonly operations: string[];
  fault: Fault | undefined;
}

interface Options {
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function startScriptedS3({ tls }: Options = {}): Promise<ScriptedS3> {
  const memory = new Memory();
  const operations: string[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://host');
      const operation = operationOf(request.method ?? '', url);
      operations.push(operation);
      const exchange: Exchange = {
        ...{ operation, request, response, query: url.searchParams, body: Buffer.concat(chunks) },
        count: operations.filter((one) => one === operation).length,
        proceed: () => memory.answer(exchange, decodeURIComponent(url.pathname.replace(/^\/bucket\/?/, ''))),
        cut: () => void request.socket.destroy(),
      };
      if (server.fault?.(exchange) !== true) exchange.proceed();
    });
  };
  const http = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  // Longer than the SDK's pauses: a connection closed just then is one more fault.
  http.keepAliveTimeout = 60_000;
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const server: ScriptedS3 = {
    endpoint: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    objects: memory.objects,
    uploads: memory.uploads,
    operations,
    fault: undefined,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return server;
}

function operationOf(method: string, { pathname, searchParams }: URL): string {
  const isBucket = pathname.split('/').filter(Boolean).length < 2;
  if (isBucket) return method === 'GET' ? 'ListObjectsV2' : 'HeadBucket';
  if (method === 'POST') return searchParams.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  if (method === 'PUT') return searchParams.has('partNumber') ? 'UploadPart' : 'PutObject';
  if (method === 'DELETE') return searchParams.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  return method === 'HEAD' ? 'HeadObject' : 'GetObject';
}

/** S3's answer to a request that it refuses. */
export function refuse({ response, request }: Exchange, status: number, code: string, message = 'no'): true {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(request.method === 'HEAD' ? undefined : xml);
  return true;
}

export function md5(...bytes: readonly Buffer[]): string {
  return createHash('md5').update(Buffer.concat(bytes)).digest('hex');
}

class Memory {
  readonly objects = new Map<string, KeptObject>();
  readonly uploads = new Map<string, Map<number, Buffer>>();
  readonly #metadata = new Map<string, Readonly<Record<string, string>>>();

  answer(exchange: Exchange, key: string): void {
    const { operation, request, response, query, body } = exchange;
    const id = query.get('uploadId') ?? '';
    const send = (headers: Record<string, string>, xml = ''): void => void response.writeHead(200, headers).end(xml);
    const isTaken = request.headers['if-none-match'] === '*' && this.objects.has(key);
    if (isTaken) {
      refuse(exchange, 412, 'PreconditionFailed');
    } else if (operation === 'HeadBucket') {
      send({});
    } else if (operation === 'HeadObject' || operation === 'GetObject') {
      this.#give(exchange, this.objects.get(key));
    } else if (operation === 'PutObject') {
      this.objects.set(key, { body, etag: `"${md5(body)}"`, metadata: metadataOf(request) });
      send({ etag: `"${md5(body)}"` });
    } else if (operation === 'CreateMultipartUpload') {
      const uploadId = randomUUID();
      this.uploads.set(uploadId, new Map());
      this.#metadata.set(uploadId, metadataOf(request));
      send({}, `<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`);
    } else if (operation === 'UploadPart') {
      this.uploads.get(id)?.set(Number(query.get('partNumber')), body);
      send({ etag: `"${md5(body)}"` });
    } else if (operation === 'CompleteMultipartUpload') {
      const parts = this.uploads.get(id);
      if (parts === undefined) return void refuse(exchange, 404, 'NoSuchUpload');
      const bytes = [...parts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part);
      const sums = bytes.map((part) => Buffer.from(md5(part), 'hex'));
      const etag = `"${md5(...sums)}-${bytes.length}"`;
      this.objects.set(key, { body: Buffer.concat(bytes), etag, metadata: this.#metadata.get(id) ?? {} });
      this.uploads.delete(id);
      send({}, `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`);
    } else if (operation === 'AbortMultipartUpload') {
      this.uploads.delete(id);
      response.writeHead(204).end();
    } else {
      this.objects.delete(key);
      response.writeHead(204).end();
    }
  }

  #give(exchange: Exchange, object: KeptObject | undefined): void {
    const { request, response } = exchange;
    if (object === undefined) return void refuse(exchange, 404, 'NoSuchKey');
    if (![undefined, object.etag].includes(request.headers['if-match'])) {
      return void refuse(exchange, 412, 'PreconditionFailed');
    }
    const { body, etag, metadata } = object;
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from ?? 0);
    const part = body.subarray(start, to === undefined || to === '' ? undefined : Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, {
      ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
      ...(from !== undefined && { 'content-range': `bytes ${start}-${start + part.length - 1}/${body.length}` }),
      ...{ etag, 'content-length': part.length, 'last-modified': new Date().toUTCString() },
    });
    response.end(request.method === 'HEAD' ? undefined : part);
  }
}

function metadataOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const all = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(
    all.flatMap(([name, value]) => (name.startsWith('x-amz-meta-') ? [[name.slice('x-amz-meta-'.length), value]] : [])),
  );
}
