/** What a restore does with one table, decided before anything is written. Pure. */
import { formatCount } from '../../base/format.js';
import { qualifiedName, type CatalogTable, type TableDefinition, type TableName } from '../../model/table.js';
import { lockDatabase, systemDatabase } from '../../rethink/catalog.js';
import type { FunctionRefusal, TableShape } from '../../rethink/table-maker.js';
import { planDefinition, type DefinitionPlan } from './definition-plan.js';

/** What to do with tables that hold documents: refuse them, make them equal to the archive, or write on top. */
export type RestoreMode = 'fill' | 'replace' | 'merge';

/** A table of the archive. */
interface ArchiveTable extends TableName {
  readonly directory: string;
  readonly primaryKey: string;
  /** From the plan of the archive; a foreign one has none. */
  readonly definition: TableDefinition | undefined;
  readonly documentCount: number;
  readonly changeCount: number;
}

/** A table of the replica, as it was found. */
export interface TargetTable extends CatalogTable {
  readonly documentCount: number;
}

/** Why something is not done, and what the operator can do about it. */
export interface Refusal {
  readonly what: string;
  readonly remedy: string;
}

const emptied = '--replace makes such tables equal to the archive, --merge writes on top of what they hold';
const otherName = 'restore it into the RethinkDB version of the backup, or only other tables with --table';
const otherKey = 'a table cannot change its primary key: drop or rename it first';

export interface TablePlan {
  readonly archive: ArchiveTable;
  /** Undefined where the replica has no such table. */
  readonly target: TargetTable | undefined;
  readonly action: 'create' | RestoreMode;
  /** How it will be made, where it is created. */
  readonly shape: TableShape | undefined;
  /** Undefined for a table of a foreign archive. */
  readonly definition: DefinitionPlan | undefined;
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
}

/** The serialised functions of the archive's indexes and write hooks that the server does not accept. */
export type RefusedFunctions = ReadonlyMap<string, FunctionRefusal>;

/** What is known of the replica when one table is planned, and wished. */
export interface TargetFacts {
  readonly target: TargetTable | undefined;
  readonly mode: RestoreMode;
  /** Bounds the replicas of a new table. */
  readonly serverCount: number;
  readonly refusedFunctions: RefusedFunctions;
  readonly refusedNames: ReadonlyMap<string, string>;
  /** Whether what it does not accept is left out. */
  readonly skipsIndexes: boolean;
}

export function planTable(archive: ArchiveTable, facts: TargetFacts): TablePlan {
  const { target, mode, serverCount } = facts;
  const definition = archive.definition && planDefinition(archive.definition, facts);
  const { refusals = [], warnings = [] } = definition ?? {};
  const plan = { archive, target, definition, warnings };
  if (archive.database === systemDatabase || archive.database === lockDatabase) {
    const owner = archive.database === systemDatabase ? 'RethinkDB itself' : 'the lock of restores';
    const what = `${qualifiedName(archive)} belongs to ${owner}`;
    const foreign = { what, remedy: 'no backup holds such a table: do not trust this archive' };
    return { ...plan, action: mode, shape: undefined, refusals: [foreign, ...refusals] };
  }
  if (target === undefined) {
    const named = [archive.database, archive.name].flatMap((name) => facts.refusedNames.get(name) ?? []);
    const unnamed = named.map((reason) => ({ what: `${qualifiedName(archive)}: ${reason}`, remedy: otherName }));
    return { ...plan, action: 'create', shape: shapeOf(archive, serverCount), refusals: [...unnamed, ...refusals] };
  }
  return { ...plan, action: mode, shape: undefined, refusals: [...targetRefusals(archive, target, mode), ...refusals] };
}

function targetRefusals(archive: ArchiveTable, target: TargetTable, mode: RestoreMode): Refusal[] {
  const refusals: Refusal[] = [];
  const name = qualifiedName(target);
  if (archive.primaryKey !== target.primaryKey) {
    const what = `${name} has the primary key ${target.primaryKey}, in the archive ${archive.primaryKey}`;
    refusals.push({ what, remedy: otherKey });
  }
  if (mode === 'fill' && target.documentCount > 0) {
    refusals.push({ what: `${name} holds ${formatCount(target.documentCount)} documents`, remedy: emptied });
  }
  return refusals;
}

/** As many shards and replicas as the table had, but no more replicas than there are servers; one each by default. */
function shapeOf({ database, name, primaryKey, definition }: ArchiveTable, serverCount: number): TableShape {
  const shards = definition?.shards ?? [];
  const replicaCounts = shards.map(({ replicas }) => replicas.length);
  return {
    ...{ database, name, primaryKey },
    ...(definition?.durability !== undefined && { durability: definition.durability }),
    ...(definition?.writeAcks !== undefined && { writeAcks: definition.writeAcks }),
    shardCount: Math.max(1, shards.length),
    replicaCount: Math.min(Math.max(1, ...replicaCounts), serverCount),
  };
}
