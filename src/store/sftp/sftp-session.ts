/** One SFTP session: its requests as promises. Once its connection is lost, every request rejects at once. */
import ssh2, { type FileEntryWithStats, type SFTPWrapper, type Stats } from 'ssh2';
import { errorText } from '../../base/errors.js';
import { ConnectionFault, Status, StatusError } from './sftp-errors.js';
import type { SftpChannel } from './ssh-login.js';

/** As their names stand in section 4 of OpenSSH's PROTOCOL file. */
export type Extension =
  'fsync@openssh.com' | 'hardlink@openssh.com' | 'posix-rename@openssh.com' | 'statvfs@openssh.com';

/** Opaque; only of use in the session that opened it. */
export type Handle = Buffer;

export interface Attributes {
  readonly sizeBytes: number;
  /** Seconds since 1970. */
  readonly modifiedSeconds: number;
  /** The nine bits of owner, group and others. */
  readonly permissions: number;
  readonly kind: 'file' | 'directory' | 'symbolic link' | 'FIFO' | 'socket' | 'device';
}

export interface FileSystemState {
  readonly freeBlocks: number;
  readonly freeFiles: number;
  readonly isReadOnly: boolean;
}

/** Of SSH_FXP_OPEN; `create` fails where the file exists. */
const { READ, WRITE, CREAT, EXCL } = ssh2.utils.sftp.OPEN_MODE;
const openFlags = { create: WRITE | CREAT | EXCL, write: WRITE, read: READ };
/** Of every file that is created: archives hold private keys. */
export const ownerOnly = 0o600;

/** More often than any server or firewall forgets an idle connection. */
const maxKeepaliveMs = 15_000;

type Done<T> = (error?: Error | null, value?: T) => void;

/**
 * Requests reject with a StatusError for the server's answer, or with a transient ConnectionFault; all but those for
 * attributes are in ssh2's own words. Several may be under way; the server answers all of them, in any order.
 */
export class SftpSession {
  readonly #channel: SftpChannel;
  readonly #readTimeoutMs: number;
  readonly #waiting = new Set<(fault: Error) => void>();
  readonly #keepalive: NodeJS.Timeout;
  #silence: NodeJS.Timeout | undefined;
  #fault: ConnectionFault | undefined;

  /** Without an answer for `readTimeoutMs` the connection counts as lost. */
  constructor(channel: SftpChannel, readTimeoutMs: number) {
    this.#channel = channel;
    this.#readTimeoutMs = readTimeoutMs;
    const { client, sftp } = channel;
    const closed = (): void => this.#lose('the server closed it');
    client.on('error', (error) => this.#lose(errorText(error))).on('close', closed);
    sftp.on('error', (error: Error) => this.#lose(errorText(error))).on('close', closed);
    sftp.on('end', closed);
    this.#keepalive = setInterval(
      () => {
        // A request of its own: its answer is waited for like any other.
        if (this.#waiting.size === 0) this.#call<string>((s, done) => s.realpath('.', done)).catch(() => undefined);
      },
      Math.min(maxKeepaliveMs, readTimeoutMs / 2),
    );
  }

  get isLost(): boolean {
    return this.#fault !== undefined;
  }

  offers(extension: Extension): boolean {
    // Neither ssh2's types nor its documentation know of it, but its own methods look there.
    const { _extensions: offered } = this.#channel.sftp as unknown as { readonly _extensions: object };
    return Object.hasOwn(offered, extension);
  }

  open(path: string, how: keyof typeof openFlags): Promise<Handle> {
    const attributes = how === 'create' ? { mode: ownerOnly } : {};
    return this.#call((sftp, done) => sftp.open(path, openFlags[how], attributes, done));
  }

  closeFile(handle: Handle): Promise<void> {
    return this.#call((sftp, done) => sftp.close(handle, done));
  }

  /** `bytes` belong to the session until this settles. */
  write(handle: Handle, bytes: Buffer, position: number): Promise<void> {
    return this.#call((sftp, done) => sftp.write(handle, bytes, 0, bytes.length, position, done));
  }

  /** Fills `bytes`, or as much of it as one answer brings; 0 at the end of the file. */
  read(handle: Handle, bytes: Buffer, position: number): Promise<number> {
    return this.#call((sftp, done) =>
      sftp.read(handle, bytes, 0, bytes.length, position, (error, count) => done(error, count)),
    );
  }

  sync(handle: Handle): Promise<void> {
    return this.#call((sftp, done) => sftp.ext_openssh_fsync(handle, done));
  }

  /** Of a file, through its handle; of a path, through (`stat`) or without (`lstat`) following a symbolic link. */
  async attributes(of: Handle | string, how: 'stat' | 'lstat' = 'lstat'): Promise<Attributes> {
    return attributesOf(
      await this.#call<Stats>((sftp, done) => {
        if (typeof of !== 'string') sftp.fstat(of, done);
        else sftp[how](of, done);
      }),
    );
  }

  /** `over`: replaces a file of that name (the posix-rename extension). Else OpenSSH's server never does. */
  rename(from: string, to: string, how: 'over' | 'beside'): Promise<void> {
    return this.#call((sftp, done) => {
      if (how === 'over') sftp.ext_openssh_rename(from, to, done);
      else sftp.rename(from, to, done);
    });
  }

  /** A second name for a file (the hardlink extension); fails where the name is taken. */
  link(path: string, name: string): Promise<void> {
    return this.#call((sftp, done) => sftp.ext_openssh_hardlink(path, name, done));
  }

  setPermissions(path: string, permissions: number): Promise<void> {
    return this.#call((sftp, done) => sftp.chmod(path, permissions, done));
  }

  remove(path: string): Promise<void> {
    return this.#call((sftp, done) => sftp.unlink(path, done));
  }

  targetOfLink(path: string): Promise<string> {
    return this.#call((sftp, done) => sftp.readlink(path, done));
  }

  /** In no order, with what the server says of each. */
  async entries(directory: string): Promise<readonly (Attributes & { readonly name: string })[]> {
    const entries = await this.#call<FileEntryWithStats[]>((sftp, done) => sftp.readdir(directory, done));
    return entries.map(({ filename, attrs }) => ({ name: filename, ...attributesOf(attrs) }));
  }

  async fileSystem(path: string): Promise<FileSystemState> {
    const found = await this.#call<Readonly<Record<string, number>>>((sftp, done) =>
      sftp.ext_openssh_statvfs(path, done),
    );
    const { f_bavail: freeBlocks = 1, f_favail: freeFiles = 1, f_files: files = 0, f_flag: flags = 0 } = found;
    // Some file systems (btrfs) count no files at all. 1 is ST_RDONLY.
    return { freeBlocks, freeFiles: files === 0 ? 1 : freeFiles, isReadOnly: (flags & 1) === 1 };
  }

  /** Never throws. Requests that are under way reject. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { client } = this.#channel;
    if (!this.isLost) {
      const closed = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, goodbyeMs);
        client.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });
      client.end();
      await closed;
    }
    this.#lose('it was closed');
  }

  #call<T>(send: (sftp: SFTPWrapper, done: Done<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#fault !== undefined) {
        reject(this.#fault);
        return;
      }
      this.#waiting.add(reject);
      this.#silence ??= setTimeout(
        () => this.#lose(`no answer for ${this.#readTimeoutMs / 1000} s`),
        this.#readTimeoutMs,
      );
      const done: Done<T> = (error, value) => {
        if (!this.#waiting.delete(reject)) return;
        this.#heard();
        if (error === undefined || error === null) resolve(value as T);
        else if ('code' in error && typeof error.code === 'number') reject(new StatusError(error.code, error.message));
        // ssh2's own error for requests of a connection that is no more.
        else this.#lose(errorText(error), reject);
      };
      try {
        send(this.#channel.sftp, done);
      } catch (error) {
        // ssh2 sends no request for an extension that the server does not offer.
        done(Object.assign(new Error(errorText(error)), { code: Status.unsupported }));
      }
    });
  }

  #heard(): void {
    if (this.#waiting.size > 0) {
      this.#silence?.refresh();
      return;
    }
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #lose(why: string, alsoReject?: (fault: Error) => void): void {
    this.#fault ??= new ConnectionFault(`the connection is lost: ${why}`, true);
    clearTimeout(this.#silence);
    clearInterval(this.#keepalive);
    this.#channel.client.destroy();
    alsoReject?.(this.#fault);
    for (const reject of this.#waiting) reject(this.#fault);
    this.#waiting.clear();
  }
}

/** How long a server may take to close a connection after we have said that we do. */
const goodbyeMs = 500;

/** Servers may leave attributes out: a kind that is not said is a file's. */
function attributesOf(stats: Stats): Attributes {
  const { size = 0, mtime = 0, mode = 0 } = stats as Partial<Stats>;
  return {
    sizeBytes: size,
    modifiedSeconds: mtime,
    permissions: mode & 0o777,
    kind: kinds[mode & 0o170000] ?? 'file',
  };
}

/** By the bits S_IFMT of a mode; inode(7). */
const kinds: Readonly<Record<number, Attributes['kind']>> = {
  0o040000: 'directory',
  0o120000: 'symbolic link',
  0o010000: 'FIFO',
  0o140000: 'socket',
  0o020000: 'device',
  0o060000: 'device',
};
