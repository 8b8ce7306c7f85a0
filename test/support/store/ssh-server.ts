/** OpenSSH's own server on the loopback interface, with host keys, users' keys and a directory of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));

/** Whether there is one to test with. Says so on stderr where there is none: what was not tried must not look tried. */
export function hasSshServer(): boolean {
  if (sshd === undefined) process.stderr.write('SKIPPED: no sshd here; the SFTP store is not tested against OpenSSH\n');
  return sshd !== undefined;
}

export interface SshServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Of `user`, without a passphrase. */
  readonly privateKey: string;
  /** One line of known_hosts for each of its host keys. */
  readonly knownHosts: string;
  /** For files; its user's own, and removed at the end. */
  readonly directory: string;
  /** As `ssh-keygen -lf` prints it. */
  readonly fingerprints: Readonly<Record<'ed25519' | 'rsa' | 'ecdsa', string>>;
  /** One of them. */
  readonly fingerprint: string;
  /** What it has logged. */
  log(): string;
}

export interface SshServerOptions {
  /** A free one when left out. */
  readonly port?: number;
  /** Kept from another server; made when left out. */
  readonly keys?: string;
  /** More lines of sshd_config(5). */
  readonly config?: readonly string[];
  readonly user?: string;
}

/** A directory with host keys of three kinds and a user's key. */
export function makeKeys(): string {
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-keys-'));
  for (const type of ['ed25519', 'rsa', 'ecdsa']) makeKey(join(directory, `host_${type}`), type);
  makeKey(join(directory, 'user'), 'ed25519');
  return directory;
}

/** Throws where ssh-keygen does. */
export function makeKey(path: string, type: string, ...options: readonly string[]): string {
  const passphrase = options.includes('-N') ? [] : ['-N', ''];
  execFileSync('ssh-keygen', ['-q', '-t', type, '-C', 'test', '-f', path, ...passphrase, ...options]);
  return readFileSync(path, 'utf8');
}

/** Resolves when it listens. Disposing ends it and every session. */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  if (sshd === undefined) throw new Error('no sshd');
  const keys = options.keys ?? makeKeys();
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-sftp-'));
  // Other users of the tests write there, too.
  chmodSync(directory, 0o777);
  const port = options.port ?? (await freePort());
  const user = options.user ?? userInfo().username;
  // Where sshd looks for it, whatever it is told.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  writeFileSync(
    join(directory, '.sshd_config'),
    [
      'ListenAddress 127.0.0.1',
      ...['ed25519', 'rsa', 'ecdsa'].map((type) => `HostKey ${join(keys, `host_${type}`)}`),
      `AuthorizedKeysFile ${authorizedKeys(directory, keys)}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      'LogLevel VERBOSE',
      ...(options.config ?? []),
      ...((options.config ?? []).some((line) => line.startsWith('Subsystem')) ? [] : ['Subsystem sftp internal-sftp']),
    ].join('\n'),
  );
  const server = spawn(sshd, ['-D', '-e', '-f', join(directory, '.sshd_config'), '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: sessions are processes that outlive it.
    detached: true,
  });
  let log = '';
  const ended = once(server, 'close');
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('Server listening')) resolve();
    });
    server.once('exit', () => reject(new Error(`sshd has ended: ${log}`)));
  });
  rmSync(join(directory, '.sshd_config'));
  return {
    host: '127.0.0.1',
    port,
    user,
    privateKey: readFileSync(join(keys, 'user'), 'utf8'),
    knownHosts: ['ed25519', 'rsa', 'ecdsa'].map((type) => knownHostsLine(keys, type, port)).join('\n'),
    directory,
    fingerprints: {
      ed25519: fingerprintOf(keys, 'ed25519'),
      rsa: fingerprintOf(keys, 'rsa'),
      ecdsa: fingerprintOf(keys, 'ecdsa'),
    },
    fingerprint: fingerprintOf(keys, 'ed25519'),
    log: () => log,
    async [Symbol.asyncDispose]() {
      killGroup(server.pid);
      await ended;
      rmSync(directory, { recursive: true });
      if (options.keys === undefined) rmSync(keys, { recursive: true });
    },
  };
}

function fingerprintOf(keys: string, type: string): string {
  const path = join(keys, `host_${type}.pub`);
  return execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function authorizedKeys(directory: string, keys: string): string {
  const path = join(directory, '.authorized_keys');
  writeFileSync(path, readFileSync(join(keys, 'user.pub')), { mode: 0o644 });
  return path;
}

export function knownHostsLine(keys: string, type: string, port: number): string {
  return `[127.0.0.1]:${port} ${readFileSync(join(keys, `host_${type}.pub`), 'utf8').trim()}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
