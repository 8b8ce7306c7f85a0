/** Checks one table's documents and journal as they pass, for the comparison with the manifest. */
import { parseChange } from '../../model/change.js';
import { ChangeKeys } from './change-keys.js';
import type { DocumentBatch } from '../entries/document-batch.js';
import { EntriesCheck, type EntryReport } from './entries-check.js';
import { PrimaryKeys } from './primary-keys.js';

export class TableCheck {
  readonly keys = new PrimaryKeys();
  readonly changeKeys = new ChangeKeys();

  readonly documents = new EntriesCheck('documents', (document, number) => {
    this.keys.add(document, number);
    return undefined;
  });

  readonly changes = new EntriesCheck('changes', (object, number) => {
    const change = parseChange(object);
    if (typeof change === 'string') return change;
    this.changeKeys.add(change, number);
    return undefined;
  });

  add(batch: DocumentBatch, report: EntryReport): void {
    this[batch.kind].check(batch, report);
  }
}
