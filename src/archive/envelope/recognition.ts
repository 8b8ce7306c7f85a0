/** Tells an image archive from one of metadata by its first entry, and gives back every byte that was looked at. */
import { ByteSource } from '../tar/byte-source.js';
import { imageRootOf } from '../images/image-layout.js';
import { TarEntries } from '../tar/tar-entries.js';

/** Room for the first entry's headers, whatever PAX says in between. */
const headBytes = 16 * 1024;

export interface Recognised {
  /** The root, where it is an image archive. */
  readonly imageRoot: string | undefined;
  /** All of the tar. */
  readonly chunks: AsyncIterable<Buffer>;
}

/** `tar` is the tar itself, as `unwrapInput` gives it. What it throws is left to whoever reads the result. */
export async function recognise(tar: AsyncIterable<Buffer>): Promise<Recognised> {
  const chunks = tar[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  let failure: { readonly error: unknown } | undefined;
  try {
    for (let bytes = 0; bytes < headBytes;) {
      const next = await chunks.next();
      if (next.done === true) break;
      head.push(next.value);
      bytes += next.value.length;
    }
  } catch (error) {
    // It stands where it was met: the reader meets it there, too.
    failure = { error };
  }
  const silent = { add: () => undefined };
  const first = await new TarEntries(new ByteSource(fromList(head)), silent).next();
  const root = first === undefined ? undefined : imageRootOf(first.path);
  return { imageRoot: root, chunks: rejoin(head, failure, chunks) };
}

async function* fromList(chunks: readonly Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  yield* chunks;
  return Promise.resolve();
}

async function* rejoin(
  head: readonly Buffer[],
  failure: { readonly error: unknown } | undefined,
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* head;
    if (failure !== undefined) throw failure.error;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
