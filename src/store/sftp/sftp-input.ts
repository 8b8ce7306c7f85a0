/** Reading a file from an SFTP server, several requests ahead, and on over lost connections. */
import { JobError } from '../../base/errors.js';
import type { Input } from '../../model/archive-stream.js';
import { RemoteFile } from './remote-file.js';
import type { SftpConnection } from './sftp-connection.js';
import { sftpError, type Attempt } from './sftp-errors.js';
import type { Attributes, SftpSession } from './sftp-session.js';

/** Servers give as much at once as suits them; this many requests keep a distant one busy. */
const chunkBytes = 64 * 1024;
const maxChunksAhead = 32;

interface OpenedFile {
  readonly path: string;
  readonly file: RemoteFile;
  readonly attributes: Attributes;
  readonly connection: SftpConnection;
  readonly attempt: Attempt;
}

/** Throws a JobError as `attempt` says when it cannot be opened, and when reading fails; or the signal's reason. */
export async function openSftpInput(connection: SftpConnection, path: string, attempt: Attempt): Promise<Input> {
  return translate(connection, attempt, async () => {
    // Before it is opened: opening a FIFO waits for a writer.
    const attributes = await connection.run((session) => session.attributes(path, 'stat'));
    if (attributes.kind !== 'file') throw new Error(`it is a ${attributes.kind}`);
    const file = new RemoteFile((session) => openSame(session, path, attributes));
    await connection.run((session) => file.handle(session));
    return inputOf({ path, file, attributes, connection, attempt }, () => file.close().catch(() => undefined));
  });
}

async function openSame(
  session: SftpSession,
  path: string,
  { sizeBytes, modifiedSeconds }: Attributes,
): Promise<Buffer> {
  const handle = await session.open(path, 'read');
  const now = await session.attributes(handle);
  if (now.sizeBytes === sizeBytes && now.modifiedSeconds === modifiedSeconds) return handle;
  throw new Error('it was changed or replaced while it was read');
}

function inputOf(opened: OpenedFile, dispose: () => Promise<void>): Input {
  const { attempt, attributes, connection } = opened;
  return {
    name: attempt.name,
    sizeBytes: attributes.sizeBytes,
    chunks: readAhead(opened),
    again: () => inputOf(opened, () => Promise.resolve()),
    async [Symbol.asyncDispose]() {
      if (!connection.signal.aborted) await dispose();
    },
  };
}

async function* readAhead(opened: OpenedFile): AsyncGenerator<Buffer, void, undefined> {
  const { connection, attempt, attributes } = opened;
  const ahead: Promise<Buffer>[] = [];
  for (let asked = 0; asked < attributes.sizeBytes || ahead.length > 0;) {
    while (asked < attributes.sizeBytes && ahead.length < maxChunksAhead) {
      const chunk = readChunk(opened, asked, Math.min(chunkBytes, attributes.sizeBytes - asked));
      // It may fail while an earlier one is waited for.
      chunk.catch(() => undefined);
      ahead.push(chunk);
      asked += chunkBytes;
    }
    const next = ahead.shift();
    if (next !== undefined) yield await translate(connection, attempt, () => next);
  }
}

/** Rejects with what `connection.run` rejects with. */
async function readChunk({ connection, file }: OpenedFile, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length;) {
    const rest = bytes.subarray(filled);
    const count = await connection.run(async (session) =>
      session.read(await file.handle(session), rest, start + filled),
    );
    if (count === 0) throw new Error(`it ends at byte ${start + filled}: it was truncated while it was read`);
    filled += count;
  }
  return bytes;
}

async function translate<T>(connection: SftpConnection, attempt: Attempt, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (connection.signal.aborted) throw connection.signal.reason;
    if (error instanceof JobError) throw error;
    throw sftpError(error, attempt);
  }
}

/** The whole text of a small file. Throws the errors of a session, and one for a file of more than `maxBytes`. */
export async function readSmallFile(session: SftpSession, path: string, maxBytes: number): Promise<string> {
  const handle = await session.open(path, 'read');
  const bytes = Buffer.allocUnsafe(maxBytes + 1);
  let filled = 0;
  for (let count = -1; count !== 0 && filled < bytes.length; filled += count) {
    count = await session.read(handle, bytes.subarray(filled, filled + chunkBytes), filled);
  }
  await session.closeFile(handle);
  if (filled > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
  return bytes.toString('utf8', 0, filled);
}
