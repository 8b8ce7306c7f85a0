/** What `restore` prints on stdout: its plan, or, once anything may have been written, exactly what was applied. */
import { formatCount } from '../base/format.js';
import type { RestoreOutcome } from '../jobs/restore/restore.js';
import type { RestorePlan } from '../jobs/restore/restore-plan.js';
import type { TableRecord } from '../jobs/restore/restore-record.js';
import type { TablePlan } from '../jobs/restore/table-plan.js';
import { qualifiedName } from '../model/table.js';
import { inSections } from './columns.js';

type Planned = Pick<RestoreOutcome, 'record'> & { readonly plan: RestorePlan };

/** Ends in a newline. */
export function restoreReport(outcome: Planned, asJson: boolean): string {
  if (asJson) return `${JSON.stringify(forPrograms(outcome), undefined, 2)}\n`;
  const { plan, record } = outcome;
  const tables =
    record?.isBegun === true
      ? [['table', 'documents', 'changes', 'state', 'applied'], ...[...record.tables.values()].map(appliedRow)]
      : [['table', 'documents', 'there', 'plan'], ...plan.tables.map(planRow)];
  return inSections([
    head(outcome),
    tables.length > 1 ? tables : [],
    (record?.writtenCertificates ?? []).map((path) => ['certificate file', path]),
    plan.warnings.map((text) => ['warning', text]),
    plan.refusals.map(({ what }) => ['refused', what]),
    [...new Set(plan.refusals.map(({ remedy }) => remedy))].map((remedy) => ['what to do', remedy]),
  ]);
}

function head({ plan: { root, replicaId, replicaVersion }, record }: Planned): string[][] {
  return [
    ['archive', `${root}/`],
    ['replica', [replicaId ?? '(direct mode)', `DTR ${replicaVersion}`].join(', ')],
    ...(record?.createdDatabases ?? []).map((name) => ['created', `database ${name}`]),
  ];
}

function planRow({ archive, target, action, shape, definition }: TablePlan): string[] {
  const doing = {
    create: `create it with the primary key ${archive.primaryKey}, ${amount(shape?.shardCount, 'shard')}, ${amount(shape?.replicaCount, 'replica')}`,
    fill: 'fill it',
    replace: 'make it equal to the archive',
    merge: 'write on top of it',
  };
  const steps = [
    doing[action],
    ...(definition?.drop ?? []).map((name) => `drop index ${name}`),
    ...(definition?.create ?? []).map(
      ({ index, from }) =>
        `build index ${index.name}${from === 'term' ? ' anew, as this RethinkDB does not accept its serialised function' : ''}`,
    ),
    ...hookStep(definition?.hook, 'set its write hook', 'remove its write hook'),
  ];
  const changes = archive.changeCount > 0 ? ` + ${amount(archive.changeCount, 'change')}` : '';
  const documents = formatCount(archive.documentCount);
  const there = target === undefined ? 'no table' : formatCount(target.documentCount);
  return [qualifiedName(archive), `${documents}${changes}`, there, steps.join(', ')];
}

function hookStep(hook: object | null | undefined, set: string, removed: string): string[] {
  return hook === undefined ? [] : [hook === null ? removed : set];
}

function appliedRow({ plan, unconfirmed, ...applied }: TableRecord): string[] {
  const steps = [
    ...(applied.isCreated ? ['created'] : []),
    ...(applied.deletedDocuments > 0 ? [`${amount(applied.deletedDocuments, 'document')} deleted first`] : []),
    ...(unconfirmed > 0 ? [`${amount(unconfirmed, 'entry')} sent without an answer`] : []),
    ...applied.droppedIndexes.map((name) => `index ${name} dropped`),
    ...applied.createdIndexes.map((name) => `index ${name} built`),
    ...(applied.hook === undefined ? [] : [`write hook ${applied.hook}`]),
  ];
  const state = applied.isComplete ? 'complete' : 'INCOMPLETE';
  const counts = [formatCount(applied.documents), formatCount(applied.changes)];
  return [qualifiedName(plan.archive), ...counts, state, steps.join(', ')];
}

function amount(count = 1, what = ''): string {
  const plural = what.endsWith('y') ? `${what.slice(0, -1)}ies` : `${what}s`;
  return `${formatCount(count)} ${count === 1 ? what : plural}`;
}

function forPrograms({ plan, record }: Planned): unknown {
  const { tables, ...about } = plan;
  const { isBegun = false, createdDatabases = [], writtenCertificates = [] } = record ?? {};
  return {
    ...about,
    createdDatabases,
    writtenCertificates,
    isBegun,
    tables: tables.map((table) =>
      tableForPrograms(table, isBegun ? record?.tables.get(table.archive.directory) : undefined),
    ),
  };
}

function tableForPrograms({ archive, target, action, shape, definition }: TablePlan, record?: TableRecord): unknown {
  const { plan, ...applied } = record ?? { plan: undefined };
  return {
    database: archive.database,
    name: archive.name,
    primaryKey: archive.primaryKey,
    action,
    documents: archive.documentCount,
    changes: archive.changeCount,
    documentsThere: target?.documentCount,
    shards: shape?.shardCount,
    replicas: shape?.replicaCount,
    indexesToDrop: definition?.drop,
    indexesToCreate: definition?.create.map(({ index }) => index.name),
    writeHook: definition?.hook === undefined ? undefined : definition.hook === null ? 'remove' : 'set',
    applied: record === undefined ? undefined : applied,
  };
}
