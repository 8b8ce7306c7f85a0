/** Reads a file of the storage for its SHA-256, so that it can be read again, where its body comes only once, too. */
import { createHash } from 'node:crypto';
import type { StorageItem } from '../../archive/images/storage-tree.js';
import { SpoolFile } from '../../base/spool-file.js';

/** A larger body is kept in a temporary file. */
const maxInMemoryBytes = 256 * 1024;

/** Disposing removes the temporary file; the body must have been read by then. */
export interface TwiceRead extends Disposable {
  readonly sha256: string;
  /** The same bytes, unless the file changed in between, which the item's `changes` tells after them. */
  readonly body: AsyncIterable<Buffer>;
}

/** The temporary file is in `directory`. Throws what the item's body throws, or a JobError with exit code 8. */
export async function readTwice(
  { entry, body, preview }: Extract<StorageItem, { kind: 'entry' }>,
  directory: string,
): Promise<TwiceRead> {
  const hash = createHash('sha256');
  if (preview !== undefined) {
    for await (const piece of preview) hash.update(piece);
    return { sha256: hash.digest('hex'), body, [Symbol.dispose]: () => undefined };
  }
  const kept = entry.bytes > maxInMemoryBytes ? new SpoolFile(directory) : undefined;
  const pieces: Buffer[] = [];
  try {
    for await (const piece of body) {
      hash.update(piece);
      if (kept === undefined) pieces.push(Buffer.from(piece));
      else kept.append(piece);
    }
  } catch (error) {
    kept?.[Symbol.dispose]();
    throw error;
  }
  return {
    sha256: hash.digest('hex'),
    body: kept === undefined ? inPieces(pieces) : inPieces(kept.chunks()),
    [Symbol.dispose]: () => kept?.[Symbol.dispose](),
  };
}

async function* inPieces(pieces: Iterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}
