/** Where an archive comes from: a file, or a stream that is not ours to close, which is stdin. */
import { constants, open as openDescriptor } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { abortable } from '../base/deadline.js';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Input } from '../model/archive-stream.js';

/** Larger ones are no faster, and leave more garbage about. */
const chunkBytes = 128 * 1024;

/** Opens an archive file. Throws a JobError with exit code 2 when it cannot be opened, or the signal's reason. */
export async function openFileInput(path: string, signal: AbortSignal): Promise<Input> {
  try {
    return await abortable(openFile(path, signal), signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : inputError(path, error);
  }
}

async function openFile(path: string, signal: AbortSignal): Promise<Input> {
  if ((await stat(path)).isFIFO()) return fifoInput(path, signal);
  const file = await open(path, 'r');
  const stats = await file.stat();
  const dispose = (): Promise<void> => close(file, signal);
  if (stats.isFile()) return fileInput({ file, path, signal, isPositioned: true }, stats.size, dispose);
  const chunks = readFile({ file, path, signal, isPositioned: false });
  return { name: path, chunks, [Symbol.asyncDispose]: dispose };
}

/**
 * Node's threads cannot be called back from an open or read of a FIFO that nobody writes to, and the process waits for
 * them at its end. A socket waits in the event loop; not even the open waits then.
 */
async function fifoInput(path: string, signal: AbortSignal): Promise<Input> {
  const fd = await promisify(openDescriptor)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stream = new Socket({ fd, readable: true, writable: false });
  return {
    name: path,
    chunks: readChunks(stream, path, signal),
    [Symbol.asyncDispose]() {
      stream.destroy();
      return Promise.resolve();
    },
  };
}

interface OpenFile {
  readonly file: FileHandle;
  readonly path: string;
  readonly signal: AbortSignal;
  /** Whether it can be read from any position: a tape cannot. */
  readonly isPositioned: boolean;
}

function fileInput(open: OpenFile, sizeBytes: number, dispose: () => Promise<void>): Input {
  return {
    name: open.path,
    sizeBytes,
    chunks: readFile(open),
    again: () => fileInput(open, sizeBytes, () => Promise.resolve()),
    [Symbol.asyncDispose]: dispose,
  };
}

/** Closing waits for a read that is still going on, which an abort must not; of a file only read, it tells nothing new. */
async function close(file: FileHandle, signal: AbortSignal): Promise<void> {
  const closed = file.close().catch(() => undefined);
  if (!signal.aborted) await closed;
}

/**
 * From the start, or, of what has no positions, from where it stands. Not by a ReadStream: one that is destroyed
 * waits for a read that is going on, and closes the descriptor, which others read.
 */
async function* readFile({ file, path, signal, isPositioned }: OpenFile): AsyncGenerator<Buffer, void, undefined> {
  for (let bytes = 0; ;) {
    const position = isPositioned ? bytes : null;
    let chunk: Buffer;
    try {
      const { buffer, bytesRead } = await abortable(file.read(Buffer.allocUnsafe(chunkBytes), { position }), signal);
      chunk = buffer.subarray(0, bytesRead);
    } catch (error) {
      throw signal.aborted ? signal.reason : inputError(path, error);
    }
    if (chunk.length === 0) return;
    bytes += chunk.length;
    yield chunk;
  }
}

/** An input over a stream. Disposing reads what is left of it, so that `… | tee FILE | verify -` writes FILE to its end. */
export function streamInput(stream: Readable, signal: AbortSignal): Input {
  return {
    name: 'stdin',
    chunks: readChunks(stream, 'stdin', signal),
    async [Symbol.asyncDispose]() {
      if (stream.readableEnded || stream.errored !== null || signal.aborted) return;
      const rest = readChunks(stream, 'stdin', signal);
      while ((await rest.next()).done !== true);
    },
  };
}

async function* readChunks(
  stream: Readable,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  // Not addAbortSignal: a stream over a file is destroyed only when the read that is going on ends.
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  try {
    for (;;) {
      const { done, value } = await nextOf(chunks, name, signal);
      if (done === true) return;
      yield value;
    }
  } finally {
    // Where a read is going on, it would wait for that.
    if (!signal.aborted) await chunks.return?.();
  }
}

async function nextOf(
  chunks: AsyncIterableIterator<Buffer>,
  name: string,
  signal: AbortSignal,
): Promise<IteratorResult<Buffer, unknown>> {
  try {
    return await abortable(chunks.next(), signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : inputError(name, error);
  }
}

/** Translates a failed open or read, once, into what an operator can act on. */
function inputError(name: string, error: unknown): JobError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
    EIO: 'the disk reports an error',
  };
  const reason = reasons[errorCode(error) ?? ''] ?? errorText(error);
  return new JobError(ExitCode.usage, `cannot read the archive from ${name}: ${reason}`, { cause: error });
}
