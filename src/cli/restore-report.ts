/** What `restore` prints on stdout: its plan, or, once anything may have been written, exactly what was applied. */
import { formatCount } from '../base/format.js';
import type { RestoreRecord, TableRecord } from '../jobs/restore/restore-record.js';
import { qualifiedName } from '../model/table.js';
import { inSections } from './columns.js';

/** Ends in a newline. */
export function restoreReport(record: RestoreRecord, asJson: boolean): string {
  if (asJson) return `${JSON.stringify(forPrograms(record), undefined, 2)}\n`;
  const tables = record.isBegun
    ? [['table', 'documents', 'changes', 'state', 'applied'], ...record.tables.map(appliedRow)]
    : [['table', 'documents', 'there', 'plan'], ...record.tables.map(planRow)];
  return inSections([
    head(record),
    tables.length > 1 ? tables : [],
    record.writtenCertificates.map((path) => ['certificate file', path]),
    record.warnings.map((text) => ['warning', text]),
    record.refusals.map(({ what }) => ['refused', what]),
    [...new Set(record.refusals.map(({ remedy }) => remedy))].map((remedy) => ['what to do', remedy]),
  ]);
}

function head({ root, replicaId, replicaVersion, createdDatabases }: RestoreRecord): string[][] {
  return [
    ['archive', `${root ?? ''}/`],
    ['replica', [replicaId ?? '(direct mode)', `DTR ${replicaVersion ?? 'unknown'}`].join(', ')],
    ...createdDatabases.map((name) => ['created', `database ${name}`]),
  ];
}

function planRow({ plan: { archive, target, action, shape }, definition }: TableRecord): string[] {
  const doing = {
    create: `create it with the primary key ${archive.primaryKey}, ${amount(shape?.shardCount, 'shard')}, ${amount(shape?.replicaCount, 'replica')}`,
    fill: 'fill it',
    replace: 'make it equal to the archive',
    merge: 'write on top of it',
  };
  const steps = [
    doing[action],
    ...(definition?.drop ?? []).map((name) => `drop index ${name}`),
    ...(definition?.create ?? []).map(({ name }) => `build index ${name}`),
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

function appliedRow({ plan, applied, unconfirmed }: TableRecord): string[] {
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

function forPrograms({ tables, isBegun, ...about }: RestoreRecord): unknown {
  return {
    ...about,
    isBegun,
    tables: tables.map(({ plan: { archive, target, action, shape }, definition, applied, unconfirmed }) => ({
      database: archive.database,
      name: archive.name,
      primaryKey: archive.primaryKey,
      action,
      documents: archive.documentCount,
      changes: archive.changeCount,
      ...(target !== undefined && { documentsThere: target.documentCount }),
      ...(shape !== undefined && { shards: shape.shardCount, replicas: shape.replicaCount }),
      ...(definition !== undefined && {
        indexesToDrop: definition.drop,
        indexesToCreate: definition.create.map(({ name }) => name),
        ...(definition.hook !== undefined && { writeHook: definition.hook === null ? 'remove' : 'set' }),
      }),
      ...(isBegun && { applied: { ...applied, unconfirmed } }),
    })),
  };
}
