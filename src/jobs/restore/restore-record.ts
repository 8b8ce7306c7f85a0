/** What a restore plans and what it has done so far: kept as it happens, so that a run that fails can tell exactly. */
import type { Log } from '../../base/log.js';
import type { DefinitionPlan, Refusal, TablePlan } from './restore-plan.js';

/** One table; what begins with `applied` has been confirmed by the server. */
export interface TableRecord {
  readonly plan: TablePlan;
  /** Absent in a foreign archive. */
  readonly definition?: DefinitionPlan;
  readonly applied: {
    isCreated: boolean;
    deletedDocuments: number;
    documents: number;
    changes: number;
    readonly droppedIndexes: string[];
    readonly createdIndexes: string[];
    hook?: 'set' | 'removed';
    /** Counted, indexed and with its hook: nothing is left to do. */
    isComplete: boolean;
  };
  /** Sent, and not confirmed (yet): a run that is stopped cannot know what became of them. */
  unconfirmed: number;
}

export interface RestoreRecord {
  /** The archive's root directory. */
  root?: string;
  replicaVersion?: string;
  replicaId?: string;
  /** Why nothing is done. */
  readonly refusals: Refusal[];
  readonly warnings: string[];
  readonly tables: TableRecord[];
  /** Whether anything may have been written. */
  isBegun: boolean;
  readonly createdDatabases: string[];
  /** By volume and path, as in the archive. */
  readonly writtenCertificates: string[];
}

export function newRestoreRecord(): RestoreRecord {
  return { refusals: [], warnings: [], tables: [], isBegun: false, createdDatabases: [], writtenCertificates: [] };
}

export function newTableRecord(plan: TablePlan, definition?: DefinitionPlan): TableRecord {
  return {
    plan,
    ...(definition !== undefined && { definition }),
    applied: {
      isCreated: false,
      deletedDocuments: 0,
      documents: 0,
      changes: 0,
      droppedIndexes: [],
      createdIndexes: [],
      isComplete: false,
    },
    unconfirmed: 0,
  };
}

/** Notes a warning, and logs it. */
export function warn(record: RestoreRecord, { log }: { readonly log: Log }, text: string): void {
  record.warnings.push(text);
  log.warn(text);
}
