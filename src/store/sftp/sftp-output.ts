/**
 * A file on an SFTP server, written as PATH.<8 hex digits>.part and renamed, so that a file under its final name is always
 * a whole archive. Several writes are under way at once; a lost connection is made again, and what no answer came for is
 * written again.
 */
import { abortable } from '../../base/deadline.js';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Input, Output } from '../../model/archive-stream.js';
import { moveIntoPlace } from './final-name.js';
import { RemoteFile } from './remote-file.js';
import { assertFree, partPathOf, warnOfParts, withDiskState, type Target } from './remote-paths.js';
import { runCleanup, type SftpConnection } from './sftp-connection.js';
import { isStatus, sftpError, Status, StatusError, undefinedIfMissing } from './sftp-errors.js';
import { openSftpInput } from './sftp-input.js';
import type { Handle, SftpSession } from './sftp-session.js';
import { WriteWindow } from './write-window.js';

export interface SftpOutputOptions {
  readonly connection: SftpConnection;
  readonly target: Target;
  readonly verifyArchive?: ((open: () => Promise<Input>) => Promise<void>) | undefined;
}

/** Throws a JobError with exit code 8, or the signal's reason. Disposing takes a few seconds at most, and never throws. */
export async function openSftpOutput(options: SftpOutputOptions): Promise<Output> {
  const output = new SftpOutput(options);
  try {
    await output.open();
    return output;
  } catch (error) {
    await output[Symbol.asyncDispose]();
    throw error;
  }
}

class SftpOutput implements Output {
  readonly name: string;
  readonly #options: SftpOutputOptions;
  readonly #connection: SftpConnection;
  readonly #partPath: string;
  readonly #partName: string;
  readonly #part = new RemoteFile((session) => this.#openPart(session));
  readonly #window: WriteWindow;
  #state: 'new' | 'being created' | 'created' | 'final' = 'new';

  constructor(options: SftpOutputOptions) {
    const { connection, target } = options;
    this.#options = options;
    this.#connection = connection;
    this.name = target.name;
    this.#partPath = partPathOf(target.path);
    this.#partName = target.name + this.#partPath.slice(target.path.length);
    this.#window = new WriteWindow((bytes, position) =>
      this.#onServer(async (session) => session.write(await this.#part.handle(session), bytes, position)),
    );
  }

  open(): Promise<void> {
    const { target } = this.#options;
    return this.#translate(async () => {
      await this.#connection.run((session) => assertFree(session, target));
      await warnOfParts(this.#connection, target);
      await this.#onServer((session) => this.#part.handle(session));
    });
  }

  write(chunk: Buffer): Promise<void> {
    return this.#translate(() => abortable(this.#window.write(chunk), this.#connection.signal));
  }

  async commit(): Promise<void> {
    const { target, verifyArchive } = this.#options;
    await this.#translate(async () => {
      await abortable(this.#window.flush(), this.#connection.signal);
      await this.#onServer((session) => this.#finishPart(session));
    });
    await verifyArchive?.(() => this.#readBack());
    await this.#translate(async () => {
      const sizeBytes = this.#window.acceptedBytes;
      await moveIntoPlace(this.#connection, { from: this.#partPath, to: target, sizeBytes });
      this.#state = 'final';
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'final' || this.#state === 'new') return;
    try {
      await runCleanup(this.#connection, async (session) => {
        // Its own answer does not matter.
        await this.#part.close().catch(() => undefined);
        await session.remove(this.#partPath).catch(undefinedIfMissing);
      });
    } catch (error) {
      this.#connection.warn(`${this.#partName} cannot be removed: ${errorText(error)}; remove it by hand`);
    }
  }

  /** In each new session: creates the .part in the first, and finds it again in every other. */
  async #openPart(session: SftpSession): Promise<Handle> {
    const isCreated = this.#state === 'created' || (this.#state === 'being created' && (await this.#exists(session)));
    this.#state = isCreated ? 'created' : 'being created';
    if (!isCreated) {
      const handle = await session.open(this.#partPath, 'create').catch((error: unknown) => {
        if (error instanceof StatusError) this.#state = 'new';
        throw error;
      });
      this.#state = 'created';
      return handle;
    }
    const handle = await session.open(this.#partPath, 'write');
    const { sizeBytes } = await session.attributes(handle);
    const { confirmedBytes } = this.#window;
    if (sizeBytes < confirmedBytes)
      throw new Error(`after a lost connection the server has ${sizeBytes} of ${confirmedBytes} bytes that it took`);
    // It took them, and may have lost them with the connection.
    for (const { bytes, position } of this.#window.unsettled()) await session.write(handle, bytes, position);
    return handle;
  }

  /** The answer to its creation was lost; nobody else knows its name. */
  async #exists(session: SftpSession): Promise<boolean> {
    return (await session.attributes(this.#partPath).catch(undefinedIfMissing)) !== undefined;
  }

  /** Synced, closed and of the right size: some servers report a full disk only then. May be repeated. */
  async #finishPart(session: SftpSession): Promise<void> {
    const handle = await this.#part.handle(session);
    await this.#sync(session, handle);
    this.#assertSize(await session.attributes(handle));
    await this.#part.close();
    this.#assertSize(await session.attributes(this.#partPath));
  }

  async #sync(session: SftpSession, handle: Handle): Promise<void> {
    const unsynced = `${this.#connection.name}: the server does not sync files to disk on request`;
    if (!session.offers('fsync@openssh.com')) {
      this.#connection.warnOnce(unsynced);
      return;
    }
    try {
      await session.sync(handle);
    } catch (error) {
      if (!isStatus(error, Status.unsupported)) throw error;
      this.#connection.warnOnce(unsynced);
    }
  }

  #assertSize({ sizeBytes }: { readonly sizeBytes: number }): void {
    const { acceptedBytes } = this.#window;
    if (sizeBytes === acceptedBytes) return;
    const text = `${this.#partName} has ${sizeBytes} bytes on the server instead of ${acceptedBytes}: the archive is not whole`;
    throw new JobError(ExitCode.output, text);
  }

  #readBack(): Promise<Input> {
    const attempt = { exitCode: ExitCode.output, doing: 'read back', name: this.#partName };
    return openSftpInput(this.#connection, this.#partPath, attempt);
  }

  /** Runs a step that may be repeated; a refusal without a reason gets one where the server knows it. */
  #onServer<T>(step: (session: SftpSession) => Promise<T>): Promise<T> {
    return this.#connection.run(async (session) => {
      try {
        return await step(session);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        throw await withDiskState(session, this.#partPath, error);
      }
    });
  }

  async #translate<T>(step: () => Promise<T>): Promise<T> {
    const { signal } = this.#connection;
    try {
      signal.throwIfAborted();
      return await step();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw sftpError(error, { exitCode: ExitCode.output, doing: 'write the archive to', name: this.name });
    }
  }
}
