/**
 * An SFTP server that does what a test tells it to, also what none should: files in memory, version 3 without any
 * extension, sign-in by password. It stands for servers other than OpenSSH's.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2, { type AuthContext, type Connection, type SFTPWrapper } from 'ssh2';

export type SftpRequest =
  'OPEN' | 'WRITE' | 'READ' | 'FSTAT' | 'LSTAT' | 'STAT' | 'CLOSE' | 'REMOVE' | 'RENAME' | 'READDIR' | 'REALPATH';

/** To one request: as it should be; carried out, but the connection is cut before the answer; not at all; a refusal. */
export type Reaction =
  'answer' | 'do and cut' | 'cut' | 'ignore' | { readonly status: number; readonly message?: string };

export interface ScriptedServerOptions {
  /** Called before each request; `count` of its kind, from 1. */
  readonly react?: (request: SftpRequest, count: number) => Reaction;
  /** Called when a file has been closed. */
  readonly onClose?: (file: ScriptedFile) => void;
  readonly auth?: (context: AuthContext) => void;
}

export interface ScriptedFile {
  content: Buffer;
  modifiedSeconds: number;
}

export interface ScriptedServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly fingerprint: string;
  readonly files: Map<string, ScriptedFile>;
  readonly counts: ReadonlyMap<SftpRequest, number>;
  /** Taken so far. */
  readonly connections: number;
  readonly openConnections: number;
  /** Emits the name of each request when it comes. */
  readonly requests: EventEmitter;
  /** Cuts every connection; new ones are taken. */
  disconnect(): void;
  /** Takes no new connections. */
  stopListening(): void;
}

const { STATUS_CODE, OPEN_MODE } = ssh2.utils.sftp;
const password = 'correct horse';
const regularFile = 0o100600;

export async function startScriptedServer(options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
  // Not ssh2's own: some of its keys it cannot read.
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  });
  const files = new Map<string, ScriptedFile>();
  const counts = new Map<SftpRequest, number>();
  const requests = new EventEmitter();
  const clients = new Set<Connection>();
  let connections = 0;
  const auth = options.auth ?? acceptPassword;
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    connections += 1;
    clients.add(client);
    client.on('error', () => undefined).on('close', () => clients.delete(client));
    client.on('authentication', auth);
    client.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => {
        const react = (request: SftpRequest): Reaction => {
          const count = (counts.get(request) ?? 0) + 1;
          counts.set(request, count);
          setImmediate(() => requests.emit(request, count));
          return options.react?.(request, count) ?? 'answer';
        };
        serve(acceptSftp(), { files, react, onClose: options.onClose, cut: () => cut(client) });
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const closed = once(server, 'close');
  let isListening = true;
  const stopListening = (): void => {
    if (isListening) server.close();
    isListening = false;
  };
  return {
    host: '127.0.0.1',
    port,
    user: 'scripted',
    password,
    fingerprint: fingerprintOf(privateKey),
    files,
    counts,
    get connections() {
      return connections;
    },
    get openConnections() {
      return clients.size;
    },
    requests,
    disconnect() {
      for (const client of clients) cut(client);
    },
    stopListening,
    async [Symbol.asyncDispose]() {
      for (const client of clients) cut(client);
      stopListening();
      await closed;
    },
  };
}

function acceptPassword(context: AuthContext): void {
  if (context.method === 'password' && context.password === password) context.accept();
  else context.reject(['password']);
}

/** ssh2 has no method that ends a connection without a word. */
function cut(client: Connection): void {
  (client as unknown as { _sock: { destroy(): void } })._sock.destroy();
}

function fingerprintOf(privateKey: string): string {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  return `SHA256:${createHash('sha256').update(key.getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
}

interface Served {
  readonly files: Map<string, ScriptedFile>;
  readonly react: (request: SftpRequest) => Reaction;
  readonly onClose: ((file: ScriptedFile) => void) | undefined;
  readonly cut: () => void;
}

function serve(sftp: SFTPWrapper, { files, react, onClose, cut: cutConnection }: Served): void {
  const open: (ScriptedFile | undefined)[] = [];
  const fileOf = (handle: Buffer): ScriptedFile | undefined => open[handle.readUInt32BE(0)];
  const attributes = ({ content, modifiedSeconds: mtime }: ScriptedFile) => ({
    ...{ mode: regularFile, uid: 0, gid: 0, size: content.length, atime: mtime, mtime },
  });
  /** `perform` gives the answer. */
  const on = (request: SftpRequest, id: number, perform: () => () => void): void => {
    const reaction = react(request);
    if (typeof reaction === 'object') sftp.status(id, reaction.status, reaction.message);
    else if (reaction === 'cut') cutConnection();
    else if (reaction !== 'ignore') {
      const answer = perform();
      if (reaction === 'do and cut') cutConnection();
      else answer();
    }
  };
  const status =
    (id: number, isDone: boolean, failure: number = STATUS_CODE.FAILURE) =>
    () =>
      sftp.status(id, isDone ? STATUS_CODE.OK : failure);
  const describe = (id: number, file: ScriptedFile | undefined) => () => {
    if (file === undefined) sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    else sftp.attrs(id, attributes(file));
  };
  sftp.on('error', () => undefined);
  sftp.on('OPEN', (id, path, flags) =>
    on('OPEN', id, () => {
      const known = files.get(path);
      if (known !== undefined && (flags & OPEN_MODE.EXCL) !== 0) return status(id, false);
      if (known === undefined && (flags & OPEN_MODE.CREAT) === 0) return status(id, false, STATUS_CODE.NO_SUCH_FILE);
      const file = known ?? { content: Buffer.alloc(0), modifiedSeconds: 1_700_000_000 };
      files.set(path, file);
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(open.push(file) - 1);
      return () => sftp.handle(id, handle);
    }),
  );
  sftp.on('WRITE', (id, handle, position, bytes) => {
    const copy = Buffer.from(bytes);
    on('WRITE', id, () => {
      const file = fileOf(handle);
      if (file === undefined) return status(id, false);
      const end = position + copy.length;
      if (end > file.content.length)
        file.content = Buffer.concat([file.content, Buffer.alloc(end - file.content.length)]);
      copy.copy(file.content, position);
      return status(id, true);
    });
  });
  sftp.on('READ', (id, handle, position, length) =>
    on('READ', id, () => () => {
      const bytes = fileOf(handle)?.content.subarray(position, position + length);
      if (bytes === undefined || bytes.length === 0) sftp.status(id, STATUS_CODE.EOF);
      // Half of what was asked for, as servers may.
      else sftp.data(id, bytes.subarray(0, Math.ceil(bytes.length / 2)));
    }),
  );
  sftp.on('FSTAT', (id, handle) => on('FSTAT', id, () => describe(id, fileOf(handle))));
  sftp.on('LSTAT', (id, path) => on('LSTAT', id, () => describe(id, files.get(path))));
  sftp.on('STAT', (id, path) => on('STAT', id, () => describe(id, files.get(path))));
  sftp.on('CLOSE', (id, handle) =>
    on('CLOSE', id, () => {
      const file = fileOf(handle);
      if (file !== undefined) onClose?.(file);
      return status(id, true);
    }),
  );
  sftp.on('REMOVE', (id, path) => on('REMOVE', id, () => status(id, files.delete(path), STATUS_CODE.NO_SUCH_FILE)));
  sftp.on('RENAME', (id, from, to) =>
    on('RENAME', id, () => {
      const file = files.get(from);
      if (file === undefined || files.has(to)) return status(id, false);
      files.set(to, file);
      files.delete(from);
      return status(id, true);
    }),
  );
  sftp.on('REALPATH', (id, path) =>
    on('REALPATH', id, () => () => sftp.name(id, [{ filename: path, longname: path, attrs: {} as never }])),
  );
}
