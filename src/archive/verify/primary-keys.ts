/**
 * Checks the primary keys of a table's entries as they pass, in constant memory. Where documents are in key order, each
 * key must follow the one before, which also shows that no two are the same.
 */
import { encodeText, type ByteText } from '../../model/byte-text.js';
import type { Change } from '../../model/change.js';
import type { JsonObject } from '../../model/json-object.js';
import type { DocumentEncoding, Plan } from '../../model/manifest.js';
import { compareReqlKeys, isPrimaryKey, isSameKey } from './key-order.js';

export interface KeyRules {
  readonly primaryKey: string;
  readonly documentEncoding: DocumentEncoding;
  /** Whether documents are in the order of their keys. */
  readonly isOrdered: boolean;
}

/**
 * Whether documents are in the order of their primary keys. Those of a snapshot are not; in encoding `dtr`, TIME and BINARY
 * keys have become text, but keep their order.
 */
export function isOrdered({ consistency, documentEncoding }: Pick<Plan, 'consistency' | 'documentEncoding'>): boolean {
  return consistency === 'scan' && documentEncoding === 'reql';
}

export class PrimaryKeys {
  readonly #rules: KeyRules;
  /** The name of the key as documents that were read have it. */
  readonly #name: ByteText;
  #previous: { readonly key: unknown } | undefined;
  readonly #refuted = { documents: false, changes: false };

  constructor(rules: KeyRules) {
    this.#rules = rules;
    this.#name = encodeText(rules.primaryKey);
  }

  /** What is wrong with the key of the next document, in words; only the first fault of a table is reported. */
  documentFault(document: JsonObject): string | undefined {
    if (this.#refuted.documents) return undefined;
    return this.#tell('documents', this.#presenceFault(document) ?? this.#orderFault(document[this.#name]));
  }

  /** The same of the next change, which speaks of one document: its key is the same before and after. */
  changeFault({ oldValue, newValue }: Change): string | undefined {
    if (this.#refuted.changes) return undefined;
    const values = [oldValue, newValue].filter((value) => value !== undefined);
    const absence = values.map((value) => this.#presenceFault(value)).find((fault) => fault !== undefined);
    const [first, last] = [values[0]?.[this.#name], values.at(-1)?.[this.#name]];
    const isSame = isSameKey(first, last, this.#rules.documentEncoding);
    return this.#tell('changes', absence ?? (isSame ? undefined : 'changes its primary key'));
  }

  #presenceFault(document: JsonObject): string | undefined {
    if (!Object.hasOwn(document, this.#name)) return 'has no primary key';
    return isPrimaryKey(document[this.#name]) ? undefined : 'has a primary key of a type that RethinkDB refuses';
  }

  #orderFault(key: unknown): string | undefined {
    if (!this.#rules.isOrdered) return undefined;
    const previous = this.#previous;
    this.#previous = { key };
    if (previous === undefined) return undefined;
    const order = compareReqlKeys(previous.key, key);
    if (order === 0) return 'has the primary key of the document before it';
    return order < 0 ? undefined : 'has a primary key that does not follow the one before it';
  }

  #tell(kind: 'documents' | 'changes', fault: string | undefined): string | undefined {
    if (fault === undefined) return undefined;
    this.#refuted[kind] = true;
    return `${fault} (${JSON.stringify(this.#rules.primaryKey)})`;
  }
}
