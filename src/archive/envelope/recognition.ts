/** Tells what a tar holds by its first two entries, and passes every byte on. */
import { imageRootOf } from '../images/image-layout.js';
import { ByteSource } from '../tar/byte-source.js';
import { TarEntries } from '../tar/tar-entries.js';

/** Room for the headers of the first entries, extended ones included. */
const headBytes = 16 * 1024;

type Recognised =
  | { readonly kind: 'images'; readonly root: string; readonly chunks: AsyncIterable<Buffer> }
  /** `hasPlan` where it begins with a `plan.json`; without, it is foreign. */
  | { readonly kind: 'metadata'; readonly hasPlan: boolean; readonly chunks: AsyncIterable<Buffer> };

/** `tar` is the tar itself, as `unwrapInput` gives it. What it throws, the chunks of the result throw. */
export async function recognise(tar: AsyncIterable<Buffer>): Promise<Recognised> {
  const source = new ByteSource(tar);
  // An input that fails here fails again where the chunks are read.
  await source.fill(headBytes).catch(() => false);
  const head = source.buffer.subarray(source.offset, source.offset + headBytes);
  const entries = new TarEntries(new ByteSource(only(head)), { add: () => undefined });
  const chunks = source.rest();
  const first = await entries.next();
  const root = first && imageRootOf(first.path);
  if (root !== undefined) return { kind: 'images', root, chunks };
  const second = first?.kind === 'directory' ? await entries.next() : undefined;
  const hasPlan = [first, second].some((entry) => entry !== undefined && /^[^/]+\/plan\.json$/.test(entry.path));
  return { kind: 'metadata', hasPlan, chunks };
}

async function* only(chunk: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield await Promise.resolve(chunk);
}
