/** From nothing to an SFTP channel: the socket, the handshake with the host key, the sign-in, the subsystem. */
import { connect } from 'node:net';
import ssh2, { type AnyAuthMethod, type AuthHandlerMiddleware, type Client, type SFTPWrapper } from 'ssh2';
import { withTimeout } from '../../base/deadline.js';
import { errorText } from '../../base/errors.js';
import { printable } from '../../base/printable.js';
import { ConnectionFault, HandshakeFault, socketFault } from './sftp-errors.js';

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** In the order in which they are tried. */
  readonly methods: readonly AnyAuthMethod[];
  /** Of host keys; undefined for ssh2's own list. */
  readonly algorithms: readonly string[] | undefined;
  readonly isTrusted: (key: Buffer) => boolean;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface SftpChannel {
  readonly client: Client;
  readonly sftp: SFTPWrapper;
}

/** How far a connection has come. */
interface Progress {
  phase: 'socket' | 'handshake' | 'sign-in' | 'subsystem';
  /** The host key that was refused. */
  refusedKey?: Buffer;
  /** What the server would accept, once it has refused something. */
  accepted?: readonly string[];
}

/** Throws a ConnectionFault, or the signal's reason; nothing stays open then. */
export async function logIn(login: Login): Promise<SftpChannel> {
  const { timeoutMs, signal } = login;
  const client = new ssh2.Client();
  // For ever: ssh2 may report an error more than once, and one that nobody listens to ends the process.
  client.on('error', () => undefined);
  const progress: Progress = { phase: 'socket' };
  try {
    const sftp = await withTimeout(
      openChannel(client, login, progress),
      timeoutMs,
      () => new ConnectionFault(timeoutText(progress, timeoutMs), true),
      signal,
    );
    return { client, sftp };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

function timeoutText({ phase }: Progress, timeoutMs: number): string {
  const what = phase === 'socket' ? 'no SSH server has answered' : `the ${phase} was not done`;
  return `${what} within ${timeoutMs / 1000} s`;
}

async function openChannel(client: Client, login: Login, progress: Progress): Promise<SFTPWrapper> {
  const { algorithms } = login;
  const socket = connect({ host: login.host, port: login.port, noDelay: true });
  socket.once('connect', () => (progress.phase = 'handshake'));
  client.on('handshake', () => {
    if (progress.phase === 'handshake') progress.phase = 'sign-in';
  });
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('error', reject);
    client.once('close', () => reject(new Error('the server closed the connection')));
  });
  client.connect({
    sock: socket,
    username: login.user,
    authHandler: inTurn(login.methods, progress),
    hostVerifier: (key: Buffer) => {
      const isTrusted = login.isTrusted(key);
      if (!isTrusted) progress.refusedKey = key;
      return isTrusted;
    },
    readyTimeout: 0,
    ...(algorithms && { algorithms: { serverHostKey: algorithms as 'ssh-ed25519'[] } }),
  });
  let beginning = '';
  // ssh2 has paused the socket, and takes the same bytes.
  socket.on('data', (chunk) => {
    if (beginning.length < versionStart.length) beginning += chunk.toString('latin1', 0, versionStart.length);
  });
  try {
    await ready;
  } catch (error) {
    const isSsh = versionStart.startsWith(beginning.slice(0, versionStart.length));
    throw loginFault(error, { ...progress, login, isSsh });
  }
  progress.phase = 'subsystem';
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(new ConnectionFault('the server closed the connection', true)));
    client.sftp((error, sftp) => {
      if (error === undefined) resolve(sftp);
      else reject(new ConnectionFault(`the server offers no SFTP (${errorText(error)})`, false, { cause: error }));
    });
  });
}

/** A method that the server says it does not accept is not tried: servers allow a few attempts only. */
function inTurn(methods: readonly AnyAuthMethod[], progress: Progress): AuthHandlerMiddleware {
  const left = [...methods];
  // ssh2 gives null before the server has said what it accepts.
  return (accepted: readonly string[] | null, _partial, next) => {
    if (accepted !== null) progress.accepted = accepted;
    let method = left.shift();
    while (method !== undefined && accepted?.includes(method.type) === false) method = left.shift();
    // `false` ends it; the types do not know that.
    next((method ?? false) as AnyAuthMethod);
  };
}

/** Of the line with which a server says that it is one (RFC 4253, section 4.2). */
const versionStart = 'SSH-';

interface FailedLogin extends Progress {
  readonly login: Login;
  /** Whether what came is the beginning of what an SSH server sends; nothing is, too. */
  readonly isSsh: boolean;
}

function loginFault(error: unknown, { phase, refusedKey, accepted, login, isSsh }: FailedLogin): ConnectionFault {
  const { user, host, port } = login;
  if (refusedKey !== undefined) return new HandshakeFault('its host key is refused', refusedKey);
  const ofSocket = socketFault(error);
  if (ofSocket !== undefined) return ofSocket;
  const { level, code } = error as { readonly level?: unknown; readonly code?: unknown };
  // The number of a disconnect message (RFC 4253, section 11.1).
  const hasSaidWhy = typeof code === 'number';
  if (phase === 'sign-in' && (level === 'client-authentication' || hasSaidWhy)) {
    const accepts = accepted === undefined ? '' : `; it accepts: ${printable(accepted.join(', '))}`;
    const text = `the server refuses the sign-in of ${user}: check the user, --sftp-key and --sftp-password${accepts}`;
    return new ConnectionFault(text, false, { cause: error });
  }
  if (hasSaidWhy) return new ConnectionFault(`the server disconnects: ${printable(errorText(error))}`, true);
  if (level === 'handshake') return new HandshakeFault(errorText(error), undefined, { cause: error });
  if (!isSsh) return new ConnectionFault(`${host}:${port} is not an SSH server`, false, { cause: error });
  return new ConnectionFault(`the server closed the connection in the ${phase}`, true, { cause: error });
}
