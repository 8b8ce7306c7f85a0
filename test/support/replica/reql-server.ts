/**
 * The ReQL server under the tests and the demo: `RETHINKDB_BIN`, else `rethinkdb` on PATH, else the embedded one
 * (reqlite). A process of its own on 127.0.0.1, with its files in a temporary directory.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TlsIdentity } from '#src/model/replica-access.js';
import { ChildServer, type ChildCommand } from './child-server.js';
import { waitUntilReadable } from './driver.js';
import { findRethinkdb } from './find-rethinkdb.js';
import type { ReqliteSettings } from './reqlite-child.js';

export type ReqlServerKind = 'rethinkdb' | 'reqlite';

/** PEM texts: the server's own pair, and the CA that clients' certificates must come from. */
export interface ServerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Whom to ask as, after a restart, whether the tables are there again. */
  readonly client: TlsIdentity;
}

export interface ReqlServerOptions {
  /** Mutual TLS; plain TCP when left out. */
  readonly tls?: ServerTls;
  /** The best there is when left out. */
  readonly kind?: ReqlServerKind;
  /** RethinkDB only. */
  readonly cacheSizeMb?: number;
  /** RethinkDB only: the server whose cluster it joins. */
  readonly joins?: ReqlServer;
  /** The embedded one only: it answers as a server that is too old for snapshots. */
  readonly withoutInitial?: boolean;
}

export interface ReqlServer extends AsyncDisposable {
  readonly kind: ReqlServerKind;
  /** `2.4.4`; the embedded one's own version is no RethinkDB version. */
  readonly version: string;
  /** RethinkDB 2.3: no write hooks, no `-` in names, no grants on its own database. */
  readonly isOld: boolean;
  /** From RethinkDB 2.4 on. */
  readonly hasWriteHooks: boolean;
  readonly host: '127.0.0.1';
  /** Stays the same over restarts. */
  readonly port: number;
  readonly plaintext: boolean;
  /** Its name in its cluster. */
  readonly name: string;
  /** RethinkDB only; another one after each start. */
  readonly clusterPort: number | undefined;
  readonly isRunning: boolean;
  /** Ends it in order (SIGTERM). */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL); connections are reset. */
  kill(): Promise<void>;
  /** Holds it still with its connections open (SIGSTOP), as a hung machine does; it stands when this returns. */
  freeze(): void;
  thaw(): void;
  /**
   * Starts it again on the same port and data, ending it first (SIGTERM) where it still runs. Resolves when every table
   * can be read again.
   */
  restart(): Promise<void>;
  /** Kills it and removes its directory. */
  [Symbol.asyncDispose](): Promise<void>;
}

const listening = {
  rethinkdb: /^Listening for client driver connections on port (\d+)/,
  reqlite: /^listening on port (\d+)/,
};
const startTimeoutMs = { rethinkdb: 60_000, reqlite: 60_000 };

/** Resolves when the server takes connections. */
export async function startReqlServer(options: ReqlServerOptions = {}): Promise<ReqlServer> {
  const binary = options.kind === 'reqlite' ? undefined : findRethinkdb();
  if (options.kind === 'rethinkdb' && binary === undefined) throw new Error('no RethinkDB here: set RETHINKDB_BIN');
  const directory = await mkdtemp(join(tmpdir(), 'dtr-backup-reql-'));
  try {
    if (options.tls !== undefined) await writeTls(directory, options.tls);
    const commandFor =
      binary === undefined ? reqliteCommand(directory, options) : rethinkdbCommand(binary, directory, options);
    const kind = binary === undefined ? 'reqlite' : 'rethinkdb';
    const first = await ChildServer.start(commandFor(0));
    return new RunningReqlServer(kind, directory, nameFor(options), options.tls?.client, first, commandFor);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Gives a server of its own to `use` and removes it afterwards; says on stderr which one it is. */
export async function withReqlServer(
  use: (server: ReqlServer) => Promise<void>,
  options: ReqlServerOptions = {},
): Promise<void> {
  const server = await startReqlServer(options);
  process.stderr.write(`${server.kind} ${server.version}\n`);
  try {
    await use(server);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

async function writeTls(directory: string, { ca, cert, key }: ServerTls): Promise<void> {
  await writeFile(join(directory, 'ca.pem'), ca);
  await writeFile(join(directory, 'cert.pem'), cert);
  await writeFile(join(directory, 'key.pem'), key, { mode: 0o600 });
}

type CommandForPort = (port: number) => ChildCommand;

function rethinkdbCommand(binary: string, directory: string, options: ReqlServerOptions): CommandForPort {
  const tls = { '--driver-tls-key': 'key.pem', '--driver-tls-cert': 'cert.pem', '--driver-tls-ca': 'ca.pem' };
  const tlsArgs = Object.entries(tls).flatMap(([flag, file]) => [flag, join(directory, file)]);
  const cacheArgs = ['--cache-size', String(options.cacheSizeMb ?? 128)];
  const joinArgs = options.joins === undefined ? [] : ['--join', `127.0.0.1:${options.joins.clusterPort ?? 0}`];
  return (port) => ({
    command: binary,
    // Port 0: the system gives a free one, and no other process can take it in between.
    args: [
      ...['--directory', join(directory, 'rethinkdb_data'), '--driver-port', String(port), '--cluster-port', '0'],
      ...['--no-http-admin', '--no-update-check', '--server-name', nameFor(options), ...cacheArgs],
      ...joinArgs,
      ...(options.tls === undefined ? [] : tlsArgs),
    ],
    directory,
    startTimeoutMs: startTimeoutMs.rethinkdb,
    isReady: (lines) => lines.some((line) => line.startsWith('Server ready')),
  });
}

function nameFor({ joins }: ReqlServerOptions): string {
  return joins === undefined ? 'dtr_rethinkdb' : `${joins.name}_2`;
}

function reqliteCommand(directory: string, options: ReqlServerOptions): CommandForPort {
  const child = fileURLToPath(new URL('reqlite-child.js', import.meta.url));
  return (port) => {
    const settings: ReqliteSettings = {
      ...{ directory, port, tls: options.tls !== undefined },
      ...(options.withoutInitial !== undefined && { withoutInitial: options.withoutInitial }),
    };
    return {
      command: process.execPath,
      // reqlite uses `new Buffer` everywhere, and Node warns of it.
      args: ['--no-deprecation', '--max-old-space-size=4096', child, JSON.stringify(settings)],
      directory,
      startTimeoutMs: startTimeoutMs.reqlite,
      isReady: (lines) => lines.some((line) => listening.reqlite.test(line)),
    };
  };
}

class RunningReqlServer implements ReqlServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly version: string;
  readonly isOld: boolean;
  readonly hasWriteHooks: boolean;
  readonly plaintext: boolean;
  #child: ChildServer;

  constructor(
    readonly kind: ReqlServerKind,
    readonly directory: string,
    readonly name: string,
    readonly client: TlsIdentity | undefined,
    child: ChildServer,
    readonly commandFor: CommandForPort,
  ) {
    this.#child = child;
    this.plaintext = client === undefined;
    this.port = Number(firstMatch(child.lines, listening[kind]));
    this.version = kind === 'rethinkdb' ? firstMatch(child.lines, /^Running rethinkdb (\S+)/) : reqliteVersion();
    this.isOld = kind === 'rethinkdb' && this.version.startsWith('2.3.');
    this.hasWriteHooks = kind === 'rethinkdb' && !this.isOld;
  }

  get clusterPort(): number | undefined {
    if (this.kind === 'reqlite') return undefined;
    return Number(firstMatch(this.#child.lines, /^Listening for intracluster connections on port (\d+)/));
  }

  get isRunning(): boolean {
    return this.#child.running;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }

  async kill(): Promise<void> {
    await this.#child.kill();
  }

  freeze(): void {
    this.#child.freeze();
  }

  thaw(): void {
    this.#child.thaw();
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#child = await ChildServer.start(this.commandFor(this.port));
    if (this.kind === 'rethinkdb') await waitUntilReadable(this, this.client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function firstMatch(lines: readonly string[], pattern: RegExp): string {
  for (const line of lines) {
    const [, match] = pattern.exec(line) ?? [];
    if (match !== undefined) return match;
  }
  throw new Error(`the server did not print ${pattern.source}:\n${lines.join('\n')}`);
}

function reqliteVersion(): string {
  const load = createRequire(import.meta.url);
  return (load('reqlite/package.json') as { version: string }).version;
}
