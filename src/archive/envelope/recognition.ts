/** Tells what a tar holds by its first two entries, and gives back every byte that was looked at. */
import { imageRootOf } from '../images/image-layout.js';
import { ByteSource } from '../tar/byte-source.js';
import { TarEntries } from '../tar/tar-entries.js';

/** Room for the first entries' headers, whatever PAX says in between. */
const headBytes = 16 * 1024;

export type Recognised =
  | { readonly kind: 'images'; readonly root: string; readonly chunks: AsyncIterable<Buffer> }
  /** `hasPlan` where it begins with a `plan.json`; without, it is foreign. */
  | { readonly kind: 'metadata'; readonly hasPlan: boolean; readonly chunks: AsyncIterable<Buffer> };

/** `tar` is the tar itself, as `unwrapInput` gives it. What it throws, the chunks of the result throw. */
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
    failure = { error };
  }
  const all = rejoin(head, failure, chunks);
  const entries = new TarEntries(new ByteSource(fromList(head)), { add: () => undefined });
  const first = await entries.next();
  const root = first && imageRootOf(first.path);
  if (root !== undefined) return { kind: 'images', root, chunks: all };
  const second = first?.kind === 'directory' ? await entries.next() : undefined;
  const hasPlan = [first, second].some((entry) => entry !== undefined && /^[^/]+\/plan\.json$/.test(entry.path));
  return { kind: 'metadata', hasPlan, chunks: all };
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
