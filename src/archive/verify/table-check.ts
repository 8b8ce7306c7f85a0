/** Checks one table's documents and journal as they pass, for the comparison with the manifest. */
import { parseChange } from '../../model/change.js';
import type { DocumentEncoding } from '../../model/manifest.js';
import type { EntryKind } from '../layout.js';
import { ChangeKeys } from './change-keys.js';
import type { DocumentBatch } from '../entries/document-batch.js';
import { EntriesCheck, type EntryReport } from './entries-check.js';
import { PrimaryKeys, type KeyFault } from './primary-keys.js';

export interface KeyRules {
  readonly documentEncoding: DocumentEncoding;
  /** Whether documents stand in the order of their keys. */
  readonly isOrdered: boolean;
}

export class TableCheck {
  readonly keys: PrimaryKeys;
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

  /** `primaryKey` where it is known before the entries are. */
  constructor(primaryKey?: string) {
    this.keys = new PrimaryKeys(primaryKey);
  }

  /** What speaks against the member `primaryKey` of all entries of a kind that were added. */
  keyFault(kind: EntryKind, primaryKey: string, { documentEncoding, isOrdered }: KeyRules): KeyFault | undefined {
    if (kind === 'changes') return this.changeKeys.fault(primaryKey, documentEncoding);
    return this.keys.fault(primaryKey, documentEncoding, isOrdered);
  }

  add(batch: DocumentBatch, report: EntryReport): void {
    this[batch.kind].check(batch, report);
  }
}
