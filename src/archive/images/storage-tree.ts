/** A registry's storage as a sequence of entries, whichever way it is read, and the way through an engine's tar. */
import { printable } from '../../base/printable.js';
import { ByteSource } from '../tar/byte-source.js';
import { maxEntries } from './entry-tree.js';
import { fromTarEntry, imageEntryType, whyNotKept, type ImageEntry } from './image-entry.js';
import { TarEntries } from '../tar/tar-entries.js';
import { typeName } from '../tar/tar-header.js';

/** GNU tar's largest record is of this order; others end where the end blocks do. */
const maxTrailingBytes = 1024 * 1024;

/** One step through the storage. Bodies are to be read, or left, before the next step. */
export type StorageItem =
  | {
      readonly kind: 'entry';
      readonly entry: ImageEntry;
      /** Gives exactly `entry.bytes`. */
      readonly body: AsyncIterable<Buffer>;
      /** Whether hard links to it may follow, as far as can be known. */
      readonly hasOtherNames: boolean;
      /** What happened to the file since its size was known; asked after the body. */
      readonly changes: () => string | undefined;
    }
  /** It was there a moment ago. */
  | { readonly kind: 'vanished'; readonly path: string }
  /** It is there, and does not fit an archive; without content (a socket, a device) nothing is lost by that. */
  | { readonly kind: 'leftOut'; readonly path: string; readonly why: string; readonly hasContent: boolean };

/**
 * Reads the tar that an engine makes of a directory; the first part of its paths is that directory and is cut off. A
 * file that vanished before the engine came to it is not in the tar, and nothing tells; one that shrank ends the tar.
 * Throws what `chunks` throws, and `broken(reason)` for a tar that is cut short, damaged or leads out of the directory;
 * both come out of the bodies, too.
 */
export async function* readEngineTar(
  chunks: AsyncIterable<Buffer>,
  broken: (reason: string) => Error,
): AsyncGenerator<StorageItem, void, undefined> {
  const findings = {
    add(entry: string | undefined, reason: string): void {
      throw broken(`${entry === undefined ? 'it' : printable(entry)} ${reason}`);
    },
  };
  const source = new ByteSource(chunks);
  const tar = new TarEntries(source, findings);
  try {
    for (let found = await tar.next(), count = 1; found !== undefined; found = await tar.next(), count += 1) {
      if (count > maxEntries) throw broken(`it has more than ${maxEntries} entries`);
      const path = belowFirst(found.path.replace(/\/$/, ''));
      if (imageEntryType(found) === undefined) {
        yield {
          kind: 'leftOut',
          path,
          why: `is ${typeName(found.type)}`,
          hasContent: found.bytes > 0,
        };
        await tar.skip(found);
        continue;
      }
      const entry = fromTarEntry(found, belowFirst);
      if (typeof entry === 'string') throw broken(`${printable(found.path)} ${entry}`);
      const why = whyNotKept(entry);
      const reading = { isBegun: false };
      const body = tar.pieces(found);
      const counted = {
        [Symbol.asyncIterator]() {
          reading.isBegun = true;
          return body;
        },
      };
      yield why === undefined
        ? { kind: 'entry', entry, body: counted, hasOtherNames: false, changes: () => undefined }
        : { kind: 'leftOut', path: entry.path, why, hasContent: true };
      if (!reading.isBegun) await tar.skip(found);
    }
    // Ends the answer properly: what may follow the end blocks, zeros up to a whole record, is of no interest.
    const end = source.position;
    while (await source.fill(1)) {
      source.advance(source.available);
      if (source.position - end > maxTrailingBytes) throw broken('it goes on after its end blocks');
    }
  } finally {
    await source.close();
  }
}

/** Empty for the first part itself. */
function belowFirst(path: string): string {
  const slash = path.indexOf('/');
  return slash === -1 ? '' : path.slice(slash + 1);
}
