/** Where an archive comes from: a file, or a stream that is not ours to close, which is stdin. */
import { open, type FileHandle } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { abortable } from '../../base/deadline.js';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';

export interface Input extends AsyncDisposable {
  /** What operators call it in messages. */
  readonly name: string;
  /** Where the size is known before it is read. */
  readonly sizeBytes?: number;
  /** Of an archive that turns out to be damaged: what probably happened to it; undefined where nothing shows it. */
  readonly hint?: () => string | undefined;
  /** The bytes, once. Throws a JobError with exit code 2 when they cannot be read, or the signal's reason. */
  readonly chunks: AsyncIterable<Buffer>;
  /** The same file once more from its start, through the same descriptor, which stays this input's; absent for a stream. */
  readonly again?: () => Input;
}

/** Larger ones are no faster, and leave more garbage about. */
const chunkBytes = 128 * 1024;

/** Opens an archive file. Throws a JobError with exit code 2 when it cannot be opened. */
export async function openFileInput(path: string, signal: AbortSignal): Promise<Input> {
  try {
    const file = await open(path, 'r');
    const stats = await file.stat();
    if (stats.isFile()) return fileInput(file, path, stats.size, signal);
    const stream = file.createReadStream({ highWaterMark: chunkBytes });
    return {
      name: path,
      chunks: readChunks(stream, path, signal),
      async [Symbol.asyncDispose]() {
        stream.destroy();
        await file.close();
      },
    };
  } catch (error) {
    throw inputError(path, error);
  }
}

function fileInput(file: FileHandle, path: string, sizeBytes: number, signal: AbortSignal): Input {
  const reading = (dispose: () => Promise<void>): Input => ({
    name: path,
    sizeBytes,
    chunks: readFromStart(file, path, signal),
    again: () => reading(() => Promise.resolve()),
    [Symbol.asyncDispose]: dispose,
  });
  return reading(() => file.close());
}

/** Not by a ReadStream: one that is destroyed closes the descriptor, which others read. */
async function* readFromStart(
  file: FileHandle,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  for (let position = 0; ;) {
    let chunk: Buffer;
    try {
      const { buffer, bytesRead } = await abortable(file.read(Buffer.allocUnsafe(chunkBytes), { position }), signal);
      chunk = buffer.subarray(0, bytesRead);
    } catch (error) {
      throw signal.aborted ? signal.reason : inputError(path, error);
    }
    if (chunk.length === 0) return;
    position += chunk.length;
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
  try {
    addAbortSignal(signal, stream);
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
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
