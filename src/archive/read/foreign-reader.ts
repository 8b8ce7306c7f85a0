/**
 * Reads an archive without a plan: the vendor's. It has documents at `rethink/<table>/<n>` and files below `certs/`;
 * other files are skipped, and owners, modes, times and missing directories do not matter.
 */
import type { EntriesOwner } from '../entries/document-batch.js';
import { layout, limits, type Place } from '../layout.js';
import type { TarEntry } from '../tar/tar-entries.js';
import { ArchiveReader, type ArchiveItem } from './reader.js';

/** What no other program writes. */
const ownKinds: ReadonlySet<Place['kind']> = new Set(['plan', 'changes', 'tableChanges', 'change', 'manifest']);

interface Documents extends EntriesOwner {
  readonly numbers: EntryNumbers;
}

export class ForeignReader extends ArchiveReader {
  readonly isForeign = true;
  /** By the table's directory. */
  readonly #documents = new Map<string, Documents>();

  protected async *entries(): AsyncGenerator<ArchiveItem, void, undefined> {
    for (let entry = await this.tar.next(); entry !== undefined; entry = await this.tar.next())
      yield* this.#take(entry);
  }

  /** GNU tar fills up its last 10 KiB with zeros. */
  protected ended({ bytes, isZero }: { readonly bytes: number; readonly isZero: boolean }): void {
    if (!isZero) this.findings.add(undefined, `has ${bytes} trailing bytes`);
    for (const { directory, numbers } of this.#documents.values()) {
      if (numbers.isWhole) continue;
      this.findings.add(layout.table(this.root ?? '', directory), 'has entries that are not numbered 0, 1, 2 …');
    }
    if (this.#documents.size === 0) this.findings.add(undefined, 'holds no document: it is no backup of DTR');
  }

  async *#take(entry: TarEntry): AsyncGenerator<ArchiveItem, void, undefined> {
    const place = this.place(entry);
    if (place?.kind === 'document') {
      const documents = this.#documentsOf(place.directory);
      documents.numbers.add(place.number);
      yield* this.numbered(entry, documents, place.number);
    } else if (place !== undefined && ownKinds.has(place.kind)) {
      this.findings.add(entry.path, 'belongs to an archive of dtr-backup, but the plan is not at its beginning');
      this.tar.stop('is not as dtr-backup wrote it: it was cut or packed anew');
    } else {
      yield* this.flush();
      yield* this.other(entry, place);
    }
  }

  #documentsOf(directory: string): Documents {
    const known = this.#documents.get(directory);
    if (known !== undefined) return known;
    const documents: Documents = { kind: 'documents', directory, numbers: new EntryNumbers() };
    this.#documents.set(directory, documents);
    if (this.#documents.size > limits.tables) this.tar.stop(`has more than ${limits.tables} tables`);
    return documents;
  }
}

/**
 * Whether the entries of a table in a foreign archive, in whatever order, are numbered 0, 1, 2 … Their count, largest and
 * sum find every gap, double and wrong number that comes alone; several that make up for one another are not noticed.
 */
export class EntryNumbers {
  #count = 0;
  #max = -1;
  /** The sum of all numbers less that of 0, 1, 2 … as many, modulo 2^32: exact, however large they are. */
  #excess = 0;

  add(number: number): void {
    this.#excess = (this.#excess + number - this.#count) | 0;
    this.#max = Math.max(this.#max, number);
    this.#count += 1;
  }

  get isWhole(): boolean {
    return this.#max === this.#count - 1 && this.#excess === 0;
  }
}
