/** Tables: their definitions, names, and patterns of names. */
import { z } from 'zod';

/** Everything needed to create a table again; the manifest holds it in this form. */
export const tableDefinitionSchema = z.object({
  database: z.string().min(1),
  name: z.string().min(1),
  primaryKey: z.string().min(1),
  /** Every secondary index, as RethinkDB's `indexStatus()` describes it. */
  indexes: z.array(
    z.object({
      name: z.string(),
      /** The serialised index function, base64, which `indexCreate` accepts. */
      function: z.string().exactOptional(),
      /** The function as the server prints it. */
      query: z.string().exactOptional(),
      multi: z.boolean(),
      geo: z.boolean(),
      outdated: z.boolean(),
    }),
  ),
  /** From RethinkDB 2.4 on; the serialised function, base64. Null without one. */
  writeHook: z.object({ function: z.string(), query: z.string().exactOptional() }).nullable(),
  /** From the table's configuration; absent where the server shows none. */
  durability: z.string().exactOptional(),
  writeAcks: z.string().exactOptional(),
  shards: z.array(z.object({ primaryReplica: z.string(), replicas: z.array(z.string()) })).exactOptional(),
});

export type TableDefinition = z.infer<typeof tableDefinitionSchema>;
export type SecondaryIndex = TableDefinition['indexes'][number];
export type WriteHook = NonNullable<TableDefinition['writeHook']>;

/** A table's name with its database. */
export interface TableName {
  readonly database: string;
  readonly name: string;
}

/** A table found on the server. */
export interface CatalogTable extends TableDefinition {
  /** The server's own id: a table that is dropped and created again has another. Absent where the server gives none. */
  readonly id?: string;
  /** The server's estimate. */
  readonly estimatedDocumentCount?: number;
}

/** `dtr2.tags`. */
export function qualifiedName({ database, name }: TableName): string {
  return `${database}.${name}`;
}

/** `DB.TABLE`, or `DB.*` for all of a database. */
export interface TablePattern {
  readonly database: string;
  /** `*` for every table. */
  readonly name: string;
}

/** RethinkDB allows letters, digits, `_` and `-` in names of databases and tables. */
export function parseTablePattern(text: string): TablePattern | undefined {
  const [, database, name] = /^([\w-]+)\.([\w-]+|\*)$/.exec(text.trim()) ?? [];
  return database !== undefined && name !== undefined ? { database, name } : undefined;
}

export function matchesPattern(pattern: TablePattern, table: TablePattern): boolean {
  return pattern.database === table.database && (pattern.name === '*' || pattern.name === table.name);
}
