/** What a restore does with one table, decided before anything is written. Pure. */
import { formatCount } from '../../base/format.js';
import { printable } from '../../base/printable.js';
import {
  qualifiedName,
  type CatalogTable,
  type SecondaryIndex,
  type TableDefinition,
  type TableName,
  type WriteHook,
} from '../../model/table.js';
import { lockDatabase, systemDatabase } from '../../rethink/catalog.js';
import { parseIndexQuery } from '../../rethink/index-query.js';
import type { TableShape } from '../../rethink/table-maker.js';

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
const remade = '--replace makes it as it is in the archive, --merge leaves it as it is';
const leftOut = '--skip-indexes leaves out what this RethinkDB does not accept, and says how to make it by hand';
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

/** What is known of the replica when one table is planned. */
interface TargetFacts {
  readonly target: TargetTable | undefined;
  readonly mode: RestoreMode;
  /** Bounds the replicas of a new table. */
  readonly serverCount: number;
  /** Serialised functions of the archive that the server does not accept, and why. */
  readonly refusedFunctions: ReadonlyMap<string, string>;
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
  if (target === undefined) return { ...plan, action: 'create', shape: shapeOf(archive, serverCount), refusals };
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

/** An index to create: from its serialised function, or, where the server does not accept that, from its printed query. */
export interface PlannedIndex {
  readonly index: SecondaryIndex;
  readonly from: 'function' | 'query';
}

/** What is done about a table's indexes and its write hook once its documents are in. */
interface DefinitionPlan {
  /** In this order: first dropped, then created. */
  readonly drop: readonly string[];
  readonly create: readonly PlannedIndex[];
  /** The hook to set (null: none); absent where the present one stays. */
  readonly hook?: WriteHook | null;
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
}

/**
 * What is missing is made, what is the same stays. What differs is refused; `replace` makes it as it is in the
 * archive, and drops what the archive does not have; `merge` leaves it as it is on the replica. What the server does not
 * accept is refused, or left out with a warning that says how to make it.
 */
function planDefinition(wanted: TableDefinition, facts: TargetFacts): DefinitionPlan {
  const { target, mode, refusedFunctions, skipsIndexes } = facts;
  const name = qualifiedName(wanted);
  const there = new Map(target?.indexes.map((index) => [index.name, index]));
  const drop: string[] = [];
  const create: PlannedIndex[] = [];
  const differing: string[] = [];
  const unaccepted: string[] = [];
  const warnings: string[] = [];
  for (const index of wanted.indexes) {
    const present = there.get(index.name);
    there.delete(index.name);
    if (present !== undefined && isSameIndex(index, present)) continue;
    if (index.function === undefined)
      warnings.push(`${name}: the archive does not tell how index ${index.name} is made`);
    else if (present !== undefined && mode !== 'replace')
      differing.push(`${name} has another index ${index.name} than the archive`);
    else {
      const reason = refusedFunctions.get(index.function);
      const from = reason === undefined ? 'function' : parseIndexQuery(index) && 'query';
      if (from === undefined) {
        unaccepted.push(`${name}: this RethinkDB does not accept index ${index.name} (${reason ?? ''})`);
        warnings.push(...(skipsIndexes ? [`${name}: make index ${index.name} by hand: ${byHand(wanted, index)}`] : []));
        continue;
      }
      if (present !== undefined) drop.push(index.name);
      create.push({ index, from });
    }
  }
  if (mode === 'replace') drop.push(...there.keys());
  let hook = planHook(wanted.writeHook, target?.writeHook ?? null, mode);
  const hookReason = typeof hook === 'object' ? refusedFunctions.get(hook?.function ?? '') : undefined;
  if (hookReason !== undefined) {
    unaccepted.push(`${name}: this RethinkDB does not accept its write hook (${hookReason})`);
    hook = 'stays';
  }
  if (hook === 'differs') differing.push(`${name} has another write hook than the archive`);
  return {
    drop,
    create,
    ...(hook !== 'differs' && hook !== 'stays' && { hook }),
    refusals: [
      ...(mode === 'merge' ? [] : differing.map((what) => ({ what, remedy: remade }))),
      ...(skipsIndexes ? [] : unaccepted.map((what) => ({ what, remedy: leftOut }))),
    ],
    warnings: [
      ...(skipsIndexes ? unaccepted.map((text) => `${text}: it is left out`) : []),
      ...warnings,
      ...(mode === 'merge' ? differing.map((text) => `${text}: it stays`) : []),
    ],
  };
}

/** As a query of RethinkDB's data explorer. */
function byHand({ database, name }: TableName, { query }: SecondaryIndex): string {
  return printable(
    `r.db('${database}').table('${name}').${query ?? 'indexCreate(…): the archive does not show its function'}`,
  );
}

function planHook(
  wanted: WriteHook | null,
  present: WriteHook | null,
  mode: RestoreMode,
): WriteHook | null | 'stays' | 'differs' {
  if (wanted?.function === present?.function) return 'stays';
  if (mode === 'replace' || present === null) return wanted;
  return wanted === null ? 'stays' : 'differs';
}

/** The server prints equal functions alike; their serialised forms differ from version to version. */
export function isSameIndex(one: SecondaryIndex, other: SecondaryIndex): boolean {
  const isSameFunction = one.function === other.function || (one.query !== undefined && one.query === other.query);
  return isSameFunction && one.multi === other.multi && one.geo === other.geo;
}
