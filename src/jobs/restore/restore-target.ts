/** What a restore needs to know of the replica before it is planned: its tables, as far as the archive has them. */
import { chooseDatabase, isDtrTable } from '../../model/dtr-tables.js';
import type { TableDefinition, TableName } from '../../model/table.js';
import { describeTable, listTables } from '../../rethink/catalog.js';
import { countServers } from '../../rethink/server-status.js';
import type { RethinkSession } from '../../rethink/session.js';
import { functionRefusal, nameRefusal, type FunctionRefusal } from '../../rethink/table-maker.js';
import { countDocuments } from '../../rethink/table-writer.js';
import type { Survey } from '../archive-survey.js';
import type { RefusedFunctions, TargetTable } from './table-plan.js';

export interface RestoreTarget {
  readonly serverCount: number;
  /** Whether the replica has any table of DTR. */
  readonly hasDtrTables: boolean;
  /** For each table of the archive, by its directory. */
  readonly tables: ReadonlyMap<string, MatchedTable>;
  readonly refusedFunctions: RefusedFunctions;
  /** Names of databases and tables of the archive that the server does not accept, and why. */
  readonly refusedNames: ReadonlyMap<string, string>;
}

interface MatchedTable extends TableName {
  /** Undefined where the replica has no such table. */
  readonly target: TargetTable | undefined;
}

/**
 * Looks for the tables of the archive that `isChosen`. A foreign archive names no databases: they are those of the
 * replica's tables, or of DTR's.
 */
export async function readTarget(
  session: RethinkSession,
  { own, tables }: Pick<Survey, 'own' | 'tables'>,
  isChosen: (table: TableName) => boolean,
): Promise<RestoreTarget> {
  const found = await listTables(session);
  const matched = new Map<string, MatchedTable>();
  const planned = new Map(own?.plan.tables.map((table) => [table.directory, table]));
  for (const directory of tables.keys()) {
    const { database, name } = planned.get(directory) ?? {
      database: chooseDatabase(directory, found),
      name: directory,
    };
    const table = found.find((other) => other.database === database && other.name === name);
    const isWanted = table !== undefined && isChosen(table);
    matched.set(directory, { database, name, target: isWanted ? await describe(session, table) : undefined });
  }
  const chosen = own?.plan.tables.filter(isChosen) ?? [];
  return {
    serverCount: await countServers(session),
    hasDtrTables: found.some(isDtrTable),
    tables: matched,
    refusedFunctions: await readRefusals(session, chosen),
    refusedNames: await readRefusedNames(session, chosen),
  };
}

async function readRefusedNames(
  session: RethinkSession,
  tables: readonly TableName[],
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  for (const name of new Set(tables.flatMap((table) => [table.database, table.name]))) {
    const reason = await nameRefusal(session, name);
    if (reason !== undefined) refused.set(name, reason);
  }
  return refused;
}

async function readRefusals(session: RethinkSession, tables: readonly TableDefinition[]): Promise<RefusedFunctions> {
  const indexes = tables.flatMap((table) => table.indexes.flatMap((index) => index.function ?? []));
  const hooks = tables.flatMap(({ writeHook }) => writeHook?.function ?? []);
  const refused = new Map<string, FunctionRefusal>();
  for (const [kind, functions] of [
    ['index', indexes],
    ['write hook', hooks],
  ] as const) {
    for (const code of new Set(functions)) {
      const refusal = await functionRefusal(session, kind, code);
      if (refusal !== undefined) refused.set(code, refusal);
    }
  }
  return refused;
}

async function describe(session: RethinkSession, name: TableName): Promise<TargetTable> {
  const table = await describeTable(session, name);
  return { ...table, documentCount: await countDocuments(session, table) };
}
