/** What a restore has done so far, confirmed by the server: kept as it happens, so that a run that fails can tell exactly. */
import type { TablePlan } from './table-plan.js';

export interface TableRecord {
  readonly plan: TablePlan;
  isCreated: boolean;
  deletedDocuments: number;
  documents: number;
  changes: number;
  readonly droppedIndexes: string[];
  readonly createdIndexes: string[];
  hook?: 'set' | 'removed';
  /** Counted, indexed and with its hook: nothing is left to do. */
  isComplete: boolean;
  /** Sent, and not confirmed (yet): a run that is stopped cannot know what became of them. */
  unconfirmed: number;
}

export interface RestoreRecord {
  /** Whether anything may have been written. */
  isBegun: boolean;
  /** Those of the plan, by directory. */
  readonly tables: ReadonlyMap<string, TableRecord>;
  readonly createdDatabases: string[];
  /** By volume and path, as in the archive. */
  readonly writtenCertificates: string[];
}

export function newRestoreRecord(tables: readonly TablePlan[]): RestoreRecord {
  const records = tables.map((plan): [string, TableRecord] => [plan.archive.directory, newTableRecord(plan)]);
  return { isBegun: false, tables: new Map(records), createdDatabases: [], writtenCertificates: [] };
}

function newTableRecord(plan: TablePlan): TableRecord {
  return {
    plan,
    ...{ isCreated: false, deletedDocuments: 0, documents: 0, changes: 0, isComplete: false, unconfirmed: 0 },
    ...{ droppedIndexes: [], createdIndexes: [] },
  };
}
