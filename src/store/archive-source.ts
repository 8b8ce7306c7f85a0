/**
 * An archive that is read more than once. A file stays open, so that a file renamed into its place is never read instead;
 * a stream is kept in a temporary file.
 */
import { setImmediate } from 'node:timers/promises';
import type { ArchiveSource, Input } from '../model/archive-stream.js';
import { SpoolFile } from '../base/spool-file.js';

interface RereadContext {
  readonly signal: AbortSignal;
  /** For the temporary file. */
  readonly temporaryDirectory: string;
}

/** Calls `open` once. The caller disposes of the source. */
export function rereadSource(open: () => Promise<Input>, { signal, temporaryDirectory }: RereadContext): ArchiveSource {
  let spooled: { readonly spool: SpoolFile; readonly name: string } | undefined;
  let file: Input | undefined;
  return {
    async open() {
      if (file?.again !== undefined) return file.again();
      if (spooled !== undefined) {
        const { spool, name } = spooled;
        const chunks = readSpool(spool, signal);
        return { name, sizeBytes: spool.size, chunks, [Symbol.asyncDispose]: () => Promise.resolve() };
      }
      const input = await open();
      if (input.again !== undefined) {
        file = input;
        return input.again();
      }
      const spool = new SpoolFile(temporaryDirectory);
      spooled = { spool, name: input.name };
      return { ...input, chunks: keep(input.chunks, spool), [Symbol.asyncDispose]: () => input[Symbol.asyncDispose]() };
    },
    async [Symbol.asyncDispose]() {
      spooled?.spool[Symbol.dispose]();
      await file?.[Symbol.asyncDispose]();
    },
  };
}

/** An archive that is read once: nothing of it is kept. */
export function singleSource(open: () => Promise<Input>): ArchiveSource {
  return { open, [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function* keep(chunks: AsyncIterable<Buffer>, spool: SpoolFile): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    spool.append(chunk);
    yield chunk;
  }
}

async function* readSpool(spool: SpoolFile, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  for (const chunk of spool.chunks()) {
    yield chunk;
    // Synchronous reads leave signals no time to arrive.
    await setImmediate();
    signal.throwIfAborted();
  }
}
