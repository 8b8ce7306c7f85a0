/** The rules for a plan, for writer and reader alike. */
import { qualifiedName, type TableName } from '../model/table.js';
import type { Plan, PlannedTable } from '../model/manifest.js';
import { fitsLayout, isTableDirectory, limits, rootName } from './layout.js';
import { latestSeconds } from './tar/ustar.js';

/**
 * The tables with the directories they get, in the order given: a table's name, as in archives of docker/dtr, or
 * `<database>.<name>` where a table before it has that. RethinkDB allows no dot in a name, so no two are the same.
 */
export function withDirectories<Table extends TableName>(
  tables: readonly Table[],
): (Table & Pick<PlannedTable, 'directory'>)[] {
  const taken = new Set<string>();
  return tables.map((table) => {
    const directory = taken.has(table.name) ? qualifiedName(table) : table.name;
    taken.add(directory);
    return { directory, ...table };
  });
}

/** The modification time of every file of the archive, in seconds since 1970. */
export function startSeconds({ startedAt }: Pick<Plan, 'startedAt'>): number {
  return Math.floor(Date.parse(startedAt) / 1000);
}

/** Everything in a plan that no archive can hold, in words for an operator. */
export function planFaults(plan: Plan): string[] {
  const { tables } = plan;
  if (tables.length > limits.tables)
    return [`${tables.length} tables are more than the ${limits.tables} of an archive`];
  const root = rootName(plan);
  const faults = tables.flatMap((table) => {
    const { name, directory } = table;
    const label = qualifiedName(table);
    if (directory !== name && directory !== label) return [`${label} has the directory ${directory}`];
    if (!isTableDirectory(directory)) return [`${label}: no such name in RethinkDB`];
    return fitsLayout(root, directory) ? [] : [`${label}: name too long for a tar`];
  });
  if (new Set(tables.map(({ directory }) => directory)).size < tables.length)
    faults.push('two tables share a directory');
  if (new Set(tables.map(qualifiedName)).size < tables.length) faults.push('a table is named twice');
  const seconds = startSeconds(plan);
  if (!(seconds >= 0 && seconds <= latestSeconds)) faults.push(`no tar header can hold its start, ${plan.startedAt}`);
  return faults;
}
