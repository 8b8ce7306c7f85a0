/** Tables: how one is made, how it is named, and patterns of names. */
import { z } from 'zod';

/** Everything needed to make a table again; the manifest carries it as it is here. */
export const tableDefinitionSchema = z.object({
  database: z.string().min(1),
  name: z.string().min(1),
  primaryKey: z.string().min(1),
  /** Every secondary index, as RethinkDB's `indexStatus()` describes it. */
  indexes: z.array(
    z.object({
      name: z.string(),
      /** The serialised index function, base64: what `indexCreate` takes again. */
      function: z.string().exactOptional(),
      /** The function as the server prints it, for people. */
      query: z.string().exactOptional(),
      multi: z.boolean(),
      geo: z.boolean(),
      outdated: z.boolean(),
    }),
  ),
  /** RethinkDB 2.4 on; the serialised function, base64. Null where there is none. */
  writeHook: z.object({ function: z.string(), query: z.string().exactOptional() }).nullable(),
  /** From the table's configuration; absent where the server has none to show. */
  durability: z.string().exactOptional(),
  writeAcks: z.string().exactOptional(),
  shards: z.array(z.object({ primaryReplica: z.string(), replicas: z.array(z.string()) })).exactOptional(),
});

export type TableDefinition = z.infer<typeof tableDefinitionSchema>;
export type SecondaryIndex = TableDefinition['indexes'][number];
export type WriteHook = NonNullable<TableDefinition['writeHook']>;
export type Shard = NonNullable<TableDefinition['shards']>[number];

/** A table's name with its database. */
export interface TableName {
  readonly database: string;
  readonly name: string;
}

/** A table found on the server. */
export interface CatalogTable extends TableDefinition {
  /** The server's own: a table that is dropped and made again has another. Absent where the server tells none. */
  readonly id?: string;
  /** The server's own guess. */
  readonly estimatedDocumentCount?: number;
}

/** `dtr2.tags`. */
export function qualifiedName({ database, name }: TableName): string {
  return `${database}.${name}`;
}

/** Naming tables on the command line: `DB.TABLE`, or `DB.*` for all of a database. */
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
