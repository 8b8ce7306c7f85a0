/** What a restore does about the secondary indexes and the write hook of one table, once its documents are in. Pure. */
import { printable } from '../../base/printable.js';
import { qualifiedName, type SecondaryIndex, type TableDefinition, type WriteHook } from '../../model/table.js';
import type { Refusal, TargetFacts } from './table-plan.js';

export interface DefinitionPlan {
  /** In this order: first dropped, then created. */
  readonly drop: readonly string[];
  readonly create: readonly PlannedIndex[];
  /** The hook to set (null: none); absent where the present one stays. */
  readonly hook?: WriteHook | null;
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
}

/** An index to create: from its serialised function, or, where the server does not accept that, from the term inside. */
export interface PlannedIndex {
  readonly index: SecondaryIndex;
  readonly from: 'function' | 'term';
}

/** `differs` and `unaccepted` tell what stands in the way, `unaccepted` and `unknown` what is left to do by hand. */
type Decision =
  | { readonly kind: 'stays' }
  | { readonly kind: 'set'; readonly hook: WriteHook | null }
  | { readonly kind: 'create'; readonly planned: PlannedIndex; readonly replaces: boolean }
  | { readonly kind: 'differs'; readonly what: string }
  | { readonly kind: 'unaccepted'; readonly what: string; readonly byHand: string }
  | { readonly kind: 'unknown'; readonly what: string };

const remade = '--replace makes it as it is in the archive, --merge leaves it as it is';
const leftOut = '--skip-indexes leaves out what this RethinkDB does not accept, and says how to make it by hand';

/**
 * What is missing is made, what is the same stays. What differs is refused; `replace` makes it as it is in the archive, and
 * drops what the archive does not have; `merge` leaves it as it is on the replica. What the server does not accept is
 * refused, or left out with a warning.
 */
export function planDefinition(wanted: TableDefinition, facts: TargetFacts): DefinitionPlan {
  const { target, mode, skipsIndexes } = facts;
  const there = new Map(target?.indexes.map((index) => [index.name, index]));
  const decisions = [
    ...wanted.indexes.map((index) => decideIndex(wanted, index, { ...facts, present: there.get(index.name) })),
    decideHook(wanted, facts),
  ];
  const names = new Set(wanted.indexes.map(({ name }) => name));
  const plan = { drop: [] as string[], create: [] as PlannedIndex[] };
  if (mode === 'replace') plan.drop.push(...[...there.keys()].filter((name) => !names.has(name)));
  const refusals: Refusal[] = [];
  const warnings: string[] = [];
  let hook: { hook?: WriteHook | null } = {};
  for (const decision of decisions) {
    if (decision.kind === 'set') hook = { hook: decision.hook };
    else if (decision.kind === 'create') {
      if (decision.replaces) plan.drop.push(decision.planned.index.name);
      plan.create.push(decision.planned);
    } else if (decision.kind === 'unknown') warnings.push(decision.what);
    else if (decision.kind === 'differs') {
      if (mode === 'merge') warnings.push(`${decision.what}: it stays`);
      else refusals.push({ what: decision.what, remedy: remade });
    } else if (decision.kind === 'unaccepted') {
      if (skipsIndexes) warnings.push(`${decision.what}: it is left out${decision.byHand}`);
      else refusals.push({ what: decision.what, remedy: leftOut });
    }
  }
  return { ...plan, ...hook, refusals, warnings };
}

function decideIndex(
  table: TableDefinition,
  index: SecondaryIndex,
  { present, mode, refusedFunctions }: TargetFacts & { readonly present: SecondaryIndex | undefined },
): Decision {
  const name = qualifiedName(table);
  if (present !== undefined && isSameIndex(index, present)) return { kind: 'stays' };
  if (index.function === undefined)
    return { kind: 'unknown', what: `${name}: the archive does not tell how index ${index.name} is made` };
  if (present !== undefined && mode !== 'replace')
    return { kind: 'differs', what: `${name} has another index ${index.name} than the archive` };
  const replaces = present !== undefined;
  const refusal = refusedFunctions.get(index.function);
  if (refusal === undefined) return { kind: 'create', planned: { index, from: 'function' }, replaces };
  if (refusal.hasAcceptedTerm) return { kind: 'create', planned: { index, from: 'term' }, replaces };
  const query = index.query ?? `indexCreate('${index.name}', …), which the archive does not show`;
  return {
    kind: 'unaccepted',
    what: `this RethinkDB does not accept index ${index.name} of ${name} (${refusal.reason})`,
    byHand: `; make it by hand: r.db('${table.database}').table('${table.name}').${printable(query)}`,
  };
}

function decideHook(
  { writeHook: wanted, ...table }: TableDefinition,
  { target, mode, refusedFunctions }: TargetFacts,
): Decision {
  const present = target?.writeHook ?? null;
  if (wanted?.function === present?.function) return { kind: 'stays' };
  if (mode !== 'replace' && present !== null) {
    if (wanted === null) return { kind: 'stays' };
    return { kind: 'differs', what: `${qualifiedName(table)} has another write hook than the archive` };
  }
  const refusal = wanted === null ? undefined : refusedFunctions.get(wanted.function);
  if (refusal === undefined) return { kind: 'set', hook: wanted };
  const what = `this RethinkDB does not accept the write hook of ${qualifiedName(table)} (${refusal.reason})`;
  return { kind: 'unaccepted', what, byHand: '' };
}

/** The server prints equal functions alike; their serialised forms differ from version to version. */
export function isSameIndex(one: SecondaryIndex, other: SecondaryIndex): boolean {
  const isSameFunction = one.function === other.function || (one.query !== undefined && one.query === other.query);
  return isSameFunction && one.multi === other.multi && one.geo === other.geo;
}
