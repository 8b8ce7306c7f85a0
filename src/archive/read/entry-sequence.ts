/** The numbered entries of one directory as a reader meets them: which is due, and the headers they should have. */
import type { EntriesOwner } from '../entries/document-batch.js';
import { EntryNumbers } from './entry-numbers.js';
import { entriesDirectory, fitsLayout, type EntryKind } from '../layout.js';
import { NumberedFileHeaders } from '../tar/ustar.js';

export class EntrySequence implements EntriesOwner {
  readonly kind: EntryKind;
  readonly table: string;
  readonly numbers = new EntryNumbers();
  #headers: NumberedFileHeaders | undefined;

  constructor(kind: EntryKind, table: string) {
    this.kind = kind;
    this.table = table;
  }

  /** As our writer makes them, with the modification time first asked for; undefined where it would make none. */
  headers(root: string, mtimeSeconds: number): NumberedFileHeaders | undefined {
    if (!fitsLayout(root, this.table)) return undefined;
    this.#headers ??= new NumberedFileHeaders(entriesDirectory(root, this.kind, this.table), mtimeSeconds);
    return this.#headers;
  }
}
