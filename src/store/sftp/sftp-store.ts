/** Archives on an SFTP server: `sftp://[user@]host[:port]/path`. The only road to ssh2. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Input, Output } from '../../model/archive-stream.js';
import { nameOfPlace, type StoredPlace } from '../../model/place.js';
import { maxTextBytes, type Store, type StoreContext, type StoredFile, type StoreOutputOptions } from '../store.js';
import { moveIntoPlace, type Move } from './final-name.js';
import { assertFree, partPathOf } from './remote-paths.js';
import { runCleanup, SftpConnection } from './sftp-connection.js';
import { isStatus, sftpError, Status, undefinedIfMissing, type Attempt } from './sftp-errors.js';
import { openSftpInput, readSmallFile } from './sftp-input.js';
import { openSftpOutput } from './sftp-output.js';
import type { SftpSession } from './sftp-session.js';
import { signInOf, type SftpSettings } from './sftp-settings.js';

export type { SftpSettings } from './sftp-settings.js';

export type SftpServer = Pick<Extract<StoredPlace, { kind: 'sftp' }>, 'user' | 'host' | 'port'>;

/**
 * Connects when the first file is asked for, and again whenever the connection is lost. Throws a UsageError for settings
 * with which nobody could sign in. Every method rejects with the signal's reason once it has aborted.
 */
export function openSftpStore(server: SftpServer, settings: SftpSettings, context: StoreContext): Promise<Store> {
  const nameOf = (path: string): string => nameOfPlace({ kind: 'sftp', ...server, path });
  const name = nameOf('/').replace(/\/$/, '');
  const { host, port } = server;
  return Promise.resolve().then(() => {
    const signIn = signInOf(name, server.user, settings);
    return new SftpStore(nameOf, new SftpConnection({ ...context, name, host, port, signIn, settings }));
  });
}

class SftpStore implements Store {
  readonly nameOf: (path: string) => string;
  readonly #connection: SftpConnection;

  constructor(nameOf: (path: string) => string, connection: SftpConnection) {
    this.nameOf = nameOf;
    this.#connection = connection;
  }

  assertFree(path: string, { force }: { readonly force: boolean }): Promise<void> {
    const name = this.nameOf(path);
    return this.#run(writing('write the archive to', name), (session) => assertFree(session, { path, name, force }));
  }

  openOutput(path: string, { force, verifyArchive }: StoreOutputOptions): Promise<Output> {
    const target = { path, name: this.nameOf(path), force };
    return openSftpOutput({ connection: this.#connection, target, verifyArchive });
  }

  openInput(path: string): Promise<Input> {
    return openSftpInput(this.#connection, path, reading('read the archive from', this.nameOf(path)));
  }

  async list(directory: string): Promise<readonly StoredFile[]> {
    const entries = await this.#run(reading('list', this.nameOf(directory)), (session) =>
      session.entries(directory === '' ? '.' : directory),
    );
    return entries
      .filter(({ kind }) => kind === 'file')
      .map(({ name, sizeBytes, modifiedSeconds }) => ({
        path: directory + name,
        sizeBytes,
        modifiedAt: new Date(modifiedSeconds * 1000),
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  readText(path: string): Promise<string | undefined> {
    return this.#run(reading('read', this.nameOf(path)), (session) =>
      readSmallFile(session, path, maxTextBytes).catch(undefinedIfMissing),
    );
  }

  async writeText(path: string, text: string, { replaces }: { readonly replaces: boolean }): Promise<boolean> {
    const name = this.nameOf(path);
    const bytes = Buffer.from(text);
    const part = partPathOf(path);
    try {
      return await this.#translated(writing('write', name), async () => {
        if (!replaces && (await this.#connection.run((session) => isThere(session, path)))) return false;
        await this.#connection.run((session) => writeWhole(session, part, bytes));
        const to = { path, name, force: replaces };
        return this.#moveText({ from: part, to, sizeBytes: bytes.length });
      });
    } catch (error) {
      await this.#discard(part);
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await this.#run(writing('remove', this.nameOf(path)), (session) => session.remove(path).catch(undefinedIfMissing));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  /** False where another file is there that is not to be replaced. */
  async #moveText(move: Move): Promise<boolean> {
    try {
      await moveIntoPlace(this.#connection, move);
      return true;
    } catch (error) {
      const { path, force } = move.to;
      if (force || !(await this.#connection.run((session) => isThere(session, path)))) throw error;
      await this.#discard(move.from);
      return false;
    }
  }

  async #discard(part: string): Promise<void> {
    try {
      await runCleanup(this.#connection, (session) => session.remove(part).catch(undefinedIfMissing));
    } catch {
      this.#connection.warn(`${this.nameOf(part)} cannot be removed: remove it by hand`);
    }
  }

  #run<T>(attempt: Attempt, step: (session: SftpSession) => Promise<T>): Promise<T> {
    return this.#translated(attempt, () => this.#connection.run(step));
  }

  async #translated<T>(attempt: Attempt, step: () => Promise<T>): Promise<T> {
    const { signal } = this.#connection;
    try {
      return await step();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw sftpError(error, attempt);
    }
  }
}

function writing(doing: string, name: string): Attempt {
  return { exitCode: ExitCode.output, doing, name };
}

function reading(doing: string, name: string): Attempt {
  return { exitCode: ExitCode.usage, doing, name };
}

async function isThere(session: SftpSession, path: string): Promise<boolean> {
  return (await session.attributes(path).catch(undefinedIfMissing)) !== undefined;
}

/** May be repeated: no other process knows the path. */
async function writeWhole(session: SftpSession, path: string, bytes: Buffer): Promise<void> {
  await session.remove(path).catch(undefinedIfMissing);
  const handle = await session.open(path, 'create');
  if (bytes.length > 0) await session.write(handle, bytes, 0);
  if (session.offers('fsync@openssh.com')) {
    await session.sync(handle).catch((error: unknown) => {
      if (!isStatus(error, Status.unsupported)) throw error;
    });
  }
  await session.closeFile(handle);
  const { sizeBytes } = await session.attributes(path);
  if (sizeBytes !== bytes.length)
    throw new JobError(ExitCode.output, `${path} has ${sizeBytes} bytes instead of ${bytes.length}`);
}
