/** Finds out about each table of an archive on the replica, and plans for it. */
import { UsageError } from '../../base/errors.js';
import { chooseDatabase, dtrPrimaryKeyOf } from '../../model/dtr-tables.js';
import type { Manifest, ManifestTable } from '../../model/manifest.js';
import {
  matchesPattern,
  type TablePattern,
  qualifiedName,
  type TableDefinition,
  type TableName,
} from '../../model/table.js';
import { describeTable, listTables } from '../../rethink/catalog.js';
import { countServers } from '../../rethink/server-status.js';
import type { RethinkSession } from '../../rethink/session.js';
import { countDocuments } from '../../rethink/table-writer.js';
import type { EntryCounts, Survey } from './archive-survey.js';
import { isDtrContent } from '../backup/backup-plan.js';
import {
  planDefinition,
  planTable,
  type DefinitionPlan,
  type Refusal,
  type RestoreMode,
  type TargetTable,
} from './restore-plan.js';
import { newTableRecord, warn, type RestoreRecord, type TableRecord } from './restore-record.js';
import type { JobContext } from '../job-context.js';

export interface TableChoice {
  readonly mode: RestoreMode;
  /** None chooses all. */
  readonly only: readonly TablePattern[];
}

export class RestoreTargets {
  readonly #session: RethinkSession;
  readonly #choice: TableChoice;
  readonly #record: RestoreRecord;
  readonly #context: JobContext;
  readonly #found: readonly TableName[];
  readonly #serverCount: number;
  readonly #unmatched: Set<TablePattern>;
  /** By the archive's name: those that were chosen. */
  readonly #planned = new Map<string, TableRecord>();

  private constructor(
    session: RethinkSession,
    choice: TableChoice,
    record: RestoreRecord,
    context: JobContext,
    found: readonly TableName[],
    serverCount: number,
  ) {
    this.#session = session;
    this.#choice = choice;
    this.#record = record;
    this.#context = context;
    this.#found = found;
    this.#serverCount = serverCount;
    this.#unmatched = new Set(choice.only);
  }

  static async find(
    session: RethinkSession,
    choice: TableChoice,
    record: RestoreRecord,
    context: JobContext,
  ): Promise<RestoreTargets> {
    const found = await listTables(session);
    return new RestoreTargets(session, choice, record, context, found, await countServers(session));
  }

  /**
   * Plans for every table of the archive. Without a manifest (a foreign archive has none) its database and primary key are
   * those of the replica's table; where the replica lacks it, DTR's, as far as they are known.
   */
  async planAll({ manifest, tables }: Survey): Promise<void> {
    for (const [name, counts] of tables) {
      const definition = manifest?.tables.find((table) => table.name === name);
      const database = definition?.database ?? chooseDatabase(name, this.#found);
      if (!this.#isChosen({ database, name })) continue;
      const record = await this.#planChosen({ database, name }, definition, counts);
      this.#planned.set(name, record);
      this.#record.tables.push(record);
    }
    this.#assertMatches();
    this.#warnOf(manifest);
  }

  /** Undefined for a table not chosen. */
  planOf(name: string): TableRecord | undefined {
    return this.#planned.get(name);
  }

  /** Whether the replica has any table that a backup of DTR holds. */
  get isEmpty(): boolean {
    return !this.#found.some(isDtrContent);
  }

  async #planChosen(name: TableName, definition: ManifestTable | undefined, counts: EntryCounts): Promise<TableRecord> {
    const { mode } = this.#choice;
    const target = this.#isFound(name) ? await this.#describe(name) : undefined;
    const primaryKey = definition?.primaryKey ?? target?.primaryKey ?? dtrPrimaryKeyOf(name.name);
    if (primaryKey === undefined) this.#record.refusals.push(unknownKey(name));
    const archive = {
      ...name,
      primaryKey: primaryKey ?? 'id',
      ...(definition !== undefined && { definition: definitionOf(definition) }),
      documentCount: counts.documents,
      changeCount: counts.changes,
    };
    const plan = planTable(archive, target, mode, this.#serverCount);
    const definitionPlan = archive.definition && planDefinition(archive.definition, target, mode);
    this.#record.refusals.push(...plan.refusals);
    if (definitionPlan !== undefined) this.#note(definitionPlan);
    return newTableRecord(plan, definitionPlan);
  }

  #note({ refusals, warnings }: DefinitionPlan): void {
    this.#record.refusals.push(...refusals);
    for (const text of warnings) warn(this.#record, this.#context, text);
  }

  /** Throws a UsageError for patterns of `--table` that no table of the archive matched. */
  #assertMatches(): void {
    if (this.#unmatched.size === 0) return;
    throw new UsageError([...this.#unmatched].map((name) => `--table ${qualifiedName(name)}: not in the archive`));
  }

  /** Of what an archive in the vendor's form cannot give back. */
  #warnOf(manifest: Manifest | undefined): void {
    if (manifest?.documentEncoding === 'reql') return;
    const lost = 'times and binary values are text in this archive (encoding dtr) and are written as text';
    warn(this.#record, this.#context, lost);
    if (manifest !== undefined) return;
    const made = this.#record.tables.filter(({ plan }) => plan.action === 'create');
    if (made.length === 0) return;
    const guessed = made.map(({ plan: { archive } }) => `${qualifiedName(archive)} (${archive.primaryKey})`).join(', ');
    const text = 'the archive tells neither databases nor primary keys nor indexes; taken for granted without indexes';
    warn(this.#record, this.#context, `${text}: ${guessed}`);
  }

  #isChosen(table: TableName): boolean {
    for (const pattern of this.#unmatched) if (matchesPattern(pattern, table)) this.#unmatched.delete(pattern);
    return this.#choice.only.length === 0 || matchesAny(this.#choice.only, table);
  }

  #isFound({ database, name }: TableName): boolean {
    return this.#found.some((table) => table.database === database && table.name === name);
  }

  async #describe(name: TableName): Promise<TargetTable> {
    const table = await describeTable(this.#session, name);
    return { ...table, documentCount: await countDocuments(this.#session, table) };
  }
}

function unknownKey(name: TableName): Refusal {
  return {
    what: `neither the archive nor the replica tells the primary key of ${qualifiedName(name)}`,
    remedy: 'restore into a replica that DTR has installed, which has this table',
  };
}

function matchesAny(patterns: readonly TablePattern[], table: TableName): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, table));
}

function definitionOf({ documents, changes, ...definition }: ManifestTable): TableDefinition {
  return definition;
}
