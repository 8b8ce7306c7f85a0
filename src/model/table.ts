/** What the job knows of a table before and after reading it. Plain types, no I/O. */

/** A secondary index as RethinkDB describes it in `indexStatus()`; everything that `indexCreate` needs again. */
export interface SecondaryIndex {
  readonly name: string;
  /** The serialised index function, base64; what `indexCreate(name, binary)` takes. Absent where the server hides it. */
  readonly function?: string;
  /** The function as the server prints it, for people. */
  readonly query?: string;
  readonly multi: boolean;
  readonly geo: boolean;
  readonly outdated: boolean;
}

/** A write hook (RethinkDB 2.4 on): the serialised function, base64, and as the server prints it. */
export interface WriteHook {
  readonly function: string;
  readonly query?: string;
}

export interface Shard {
  readonly primaryReplica: string;
  readonly replicas: readonly string[];
}

/** How a table is made and kept. Where the server has no table configuration, the last three are absent. */
export interface TableDefinition {
  readonly database: string;
  readonly name: string;
  readonly primaryKey: string;
  readonly indexes: readonly SecondaryIndex[];
  readonly writeHook: WriteHook | null;
  readonly durability?: string;
  readonly writeAcks?: string;
  readonly shards?: readonly Shard[];
}

/** A table found on the server, with the server's own guess of how many documents it holds. */
export interface CatalogTable extends TableDefinition {
  readonly estimatedDocumentCount?: number;
}

/** A table's name with its database: `dtr2.tags`. */
export function qualifiedName(table: { readonly database: string; readonly name: string }): string {
  return `${table.database}.${table.name}`;
}
