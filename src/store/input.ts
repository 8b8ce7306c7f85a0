/** Where an archive is read from: a file, a FIFO, or stdin. */
import { constants, open as openDescriptor } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { abortable } from '../base/deadline.js';
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Input } from '../model/archive-stream.js';

/** Larger chunks are no faster. */
const chunkBytes = 128 * 1024;

interface InputContext {
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Opens an archive file. Throws a JobError with exit code 2 when it cannot be opened, or the signal's reason. */
export async function openFileInput(path: string, signal: AbortSignal): Promise<Input> {
  const context = { name: path, signal };
  return translate(openFile(context), context);
}

async function openFile(context: InputContext): Promise<Input> {
  const { name, signal } = context;
  if ((await stat(name)).isFIFO()) return openFifo(context);
  const file = await open(name, 'r');
  const stats = await file.stat();
  // Closing waits for a read in progress, which an abort must not do; of a file only read, it reports nothing new.
  const close = async (): Promise<void> => {
    const closed = file.close().catch(() => undefined);
    if (!signal.aborted) await closed;
  };
  if (stats.isFile()) return fileInput(file, stats.size, { ...context, close });
  return { name, chunks: readFile(file, 'current', context), [Symbol.asyncDispose]: close };
}

/**
 * A read or open of a FIFO without a writer blocks one of Node's threads, and the process waits for its threads when it
 * exits. A socket waits in the event loop, and a non-blocking open does not wait.
 */
async function openFifo(context: InputContext): Promise<Input> {
  const fd = await promisify(openDescriptor)(context.name, constants.O_RDONLY | constants.O_NONBLOCK);
  const stream = new Socket({ fd, readable: true, writable: false });
  const destroy = (): Promise<void> => {
    stream.destroy();
    return Promise.resolve();
  };
  return { name: context.name, chunks: readStream(stream, context), [Symbol.asyncDispose]: destroy };
}

function fileInput(
  file: FileHandle,
  sizeBytes: number,
  context: InputContext & { readonly close: () => Promise<void> },
): Input {
  return {
    name: context.name,
    sizeBytes,
    chunks: readFile(file, 'start', context),
    again: () => fileInput(file, sizeBytes, { ...context, close: () => Promise.resolve() }),
    [Symbol.asyncDispose]: context.close,
  };
}

/**
 * Reads from the start, or from the current position of a file that has no others (a tape). Not by a ReadStream: when it
 * is destroyed it waits for a read in progress, and closes the descriptor, which others still read.
 */
async function* readFile(
  file: FileHandle,
  from: 'start' | 'current',
  context: InputContext,
): AsyncGenerator<Buffer, void, undefined> {
  for (let bytes = 0; ;) {
    const position = from === 'start' ? bytes : null;
    const { buffer, bytesRead } = await translate(file.read(Buffer.allocUnsafe(chunkBytes), { position }), context);
    if (bytesRead === 0) return;
    bytes += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Reads stdin. Disposing reads the rest of it, so that `… | tee FILE | verify -` writes FILE to its end. */
export function streamInput(stream: Readable, signal: AbortSignal): Input {
  const context = { name: 'stdin', signal };
  return {
    name: context.name,
    chunks: readStream(stream, context),
    async [Symbol.asyncDispose]() {
      if (stream.readableEnded || stream.errored !== null || signal.aborted) return;
      const rest = readStream(stream, context);
      while ((await rest.next()).done !== true);
    },
  };
}

async function* readStream(stream: Readable, context: InputContext): AsyncGenerator<Buffer, void, undefined> {
  // Not addAbortSignal: a stream over a file is destroyed only after a read in progress.
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  try {
    for (;;) {
      const next = await translate<IteratorResult<Buffer, unknown>>(chunks.next(), context);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // It waits for a read in progress.
    if (!context.signal.aborted) await chunks.return?.();
  }
}

/** Throws a JobError that an operator can act on, or the signal's reason. */
async function translate<T>(step: Promise<T>, { name, signal }: InputContext): Promise<T> {
  try {
    return await abortable(step, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'no such file',
      EACCES: 'permission denied',
      EISDIR: 'it is a directory',
      EIO: 'the disk reports an error',
    };
    const reason = reasons[errorCode(error) ?? ''] ?? errorText(error);
    throw new JobError(ExitCode.usage, `cannot read the archive from ${name}: ${reason}`, { cause: error });
  }
}
