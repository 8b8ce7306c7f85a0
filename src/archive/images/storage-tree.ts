/** A registry's storage as a sequence of entries, and its reader from a Docker engine's tar. */
import { printable } from '../../base/printable.js';
import { ByteSource } from '../tar/byte-source.js';
import { belowFirst } from '../tar/file-tree.js';
import { maxEntries } from './entry-tree.js';
import { fromTarEntry, imageEntryType, whyNotKept, type ImageEntry } from './image-entry.js';
import { TarEntries } from '../tar/tar-entries.js';
import { typeName } from '../tar/tar-header.js';

/** Padding up to a record: GNU tar's largest is of this order. */
const maxTrailingBytes = 1024 * 1024;

/** One item of the storage. Its body must be read, or left unread, before the next item is asked for. */
export type StorageItem =
  | {
      readonly kind: 'entry';
      readonly entry: ImageEntry;
      /** Gives exactly `entry.bytes`. */
      readonly body: AsyncIterable<Buffer>;
      /** The body once more: read before it, or not at all. Absent where it comes only once. */
      readonly preview?: AsyncIterable<Buffer>;
      /** Whether hard links to it may follow; false where that is unknown. */
      readonly hasOtherNames: boolean;
      /** How the file changed since its size was read, in words; called after the body. */
      readonly changes: () => string | undefined;
    }
  /** It was listed, and then not found. */
  | { readonly kind: 'vanished'; readonly path: string }
  /** It does not fit an archive; without content (a socket, a device) nothing is lost. */
  | { readonly kind: 'leftOut'; readonly path: string; readonly why: string; readonly hasContent: boolean };

/**
 * Reads the tar that an engine makes of a directory, without the first component of its paths, which is that directory. The
 * engine leaves out a file that vanishes, and ends the tar at one that shrinks. Throws what `chunks` throws, and
 * `broken(reason)` for a tar that is cut short, damaged or leads out of the directory; so do the bodies.
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
        yield { kind: 'leftOut', path, why: `is ${typeName(found.type)}`, hasContent: found.bytes > 0 };
        await tar.skip(found);
        continue;
      }
      const read = fromTarEntry(found, belowFirst);
      if (read.kind === 'fault') throw broken(`${printable(found.path)} ${read.why}`);
      const { entry } = read;
      const why = whyNotKept(entry);
      const start = source.position;
      if (why !== undefined) yield { kind: 'leftOut', path, why, hasContent: true };
      else yield { kind: 'entry', entry, body: tar.pieces(found), hasOtherNames: false, changes: () => undefined };
      if (source.position === start) await tar.skip(found);
    }
    if ((await source.drain(maxTrailingBytes)) > maxTrailingBytes)
      throw broken('it has trailing bytes after its end blocks');
  } finally {
    await source.close();
  }
}
