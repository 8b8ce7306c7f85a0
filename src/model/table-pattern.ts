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
