/** Checks one table's documents and changes as they pass, and keeps their checksums. */
import { parseChange } from '../../model/change.js';
import { EntriesCheck } from './entries-check.js';
import { PrimaryKeys, type KeyRules } from './primary-keys.js';

export class TableCheck {
  readonly documents: EntriesCheck;
  readonly changes: EntriesCheck;

  /** Without `rules`, as in a foreign archive, keys are not checked. */
  constructor(rules?: KeyRules) {
    const keys = rules && new PrimaryKeys(rules);
    this.documents = new EntriesCheck('documents', (document) => keys?.documentFault(document));
    this.changes = new EntriesCheck('changes', (object) => {
      const change = parseChange(object);
      return change.ok ? keys?.changeFault(change.value) : change.reason;
    });
  }
}
