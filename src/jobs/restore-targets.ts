/** Finds out about each table of an archive on the replica, and plans for it. */
import { JobError, UsageError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { chooseDatabase, dtrPrimaryKeyOf } from '../model/dtr-tables.js';
import type { Manifest, ManifestTable } from '../model/manifest.js';
import { matchesPattern, type TablePattern } from '../model/table-pattern.js';
import { qualifiedName, type TableDefinition, type TableName } from '../model/table.js';
import { describeTable, listTables } from '../rethink/catalog.js';
import { countServers } from '../rethink/server-status.js';
import type { RethinkSession } from '../rethink/session.js';
import { countDocuments } from '../rethink/table-writer.js';
import type { EntryCounts, Survey } from './archive-survey.js';
import { isDtrContent } from './plan.js';
import { planDefinition, planTable, type DefinitionPlan, type RestoreMode, type TargetTable } from './restore-plan.js';
import { newTableRecord, warn, type RestoreRecord, type TableRecord } from './restore-record.js';
import type { World } from './world.js';

export interface TableChoice {
  readonly mode: RestoreMode;
  /** None chooses all. */
  readonly only: readonly TablePattern[];
}

export class RestoreTargets {
  readonly #session: RethinkSession;
  readonly #choice: TableChoice;
  readonly #record: RestoreRecord;
  readonly #world: World;
  readonly #found: readonly TableName[];
  readonly #serverCount: number;
  readonly #unmatched: Set<TablePattern>;
  /** By the archive's name; undefined for those that were not chosen. */
  readonly #planned = new Map<string, TableRecord | undefined>();

  private constructor(
    session: RethinkSession,
    choice: TableChoice,
    record: RestoreRecord,
    world: World,
    found: readonly TableName[],
    serverCount: number,
  ) {
    this.#session = session;
    this.#choice = choice;
    this.#record = record;
    this.#world = world;
    this.#found = found;
    this.#serverCount = serverCount;
    this.#unmatched = new Set(choice.only);
  }

  static async find(
    session: RethinkSession,
    choice: TableChoice,
    record: RestoreRecord,
    world: World,
  ): Promise<RestoreTargets> {
    const found = await listTables(session);
    return new RestoreTargets(session, choice, record, world, found, await countServers(session));
  }

  /** Plans for every table of an archive that was read before. */
  async planAll({ manifest, tables }: Survey): Promise<void> {
    for (const [name, counts] of tables) await this.plan(name, manifest, counts);
    this.#demandMatches();
    this.#warnOf(manifest);
  }

  /**
   * Plans for one table, once. Without a manifest (a stream's comes last, a foreign archive has none) its database and
   * primary key are those of the replica's table, or where DTR keeps it. Undefined for a table not chosen.
   */
  async plan(name: string, manifest?: Manifest, counts?: EntryCounts): Promise<TableRecord | undefined> {
    if (this.#planned.has(name)) return this.#planned.get(name);
    const definition = manifest?.tables.find((table) => table.name === name);
    const database = definition?.database ?? chooseDatabase(name, this.#found);
    const record = this.#isChosen({ database, name })
      ? await this.#planChosen({ database, name }, definition, counts)
      : undefined;
    this.#planned.set(name, record);
    if (record !== undefined) this.#record.tables.push(record);
    return record;
  }

  /**
   * What a stream could be refused for: tables that hold documents are known only when they come, and by then others
   * have been written. So every table that the archive may have must be empty.
   */
  async refuseFilled(): Promise<void> {
    if (this.#choice.mode !== 'fill') return;
    const { only } = this.#choice;
    const candidates = this.#found.filter((table) => (only.length > 0 ? matchesAny(only, table) : isDtrContent(table)));
    for (const name of candidates) {
      const target = await this.#describe(name);
      const archive = { ...name, primaryKey: target.primaryKey };
      this.#record.refusals.push(...planTable(archive, target, 'fill', this.#serverCount).refusals);
    }
  }

  /**
   * What only its end tells of a stream: compares what was taken for granted of its tables with the manifest, if it has
   * one, and plans for their indexes and hooks. Throws a JobError with exit code 10 where they disagree.
   */
  applyManifest(manifest: Manifest | undefined): void {
    this.#demandMatches();
    this.#warnOf(manifest);
    for (const table of manifest?.tables ?? []) {
      const record = this.#planned.get(table.name);
      if (record === undefined) continue;
      const { database, primaryKey } = record.plan.archive;
      if (database !== table.database || primaryKey !== table.primaryKey) {
        const used = `${qualifiedName(record.plan.archive)} with the primary key ${primaryKey}`;
        const meant = `${qualifiedName(table)} with the primary key ${table.primaryKey}`;
        const remedy = 'restore it from a file, where the manifest is read first';
        throw new JobError(ExitCode.restoreRefused, `${used} was written, but the archive means ${meant}: ${remedy}`);
      }
      record.definition = planDefinition(definitionOf(table), record.plan.target, this.#choice.mode);
      this.#note(record.definition);
    }
  }

  async #planChosen(
    name: TableName,
    definition: ManifestTable | undefined,
    counts: EntryCounts | undefined,
  ): Promise<TableRecord> {
    const { mode } = this.#choice;
    const target = this.#isFound(name) ? await this.#describe(name) : undefined;
    const primaryKey = definition?.primaryKey ?? target?.primaryKey ?? dtrPrimaryKeyOf(name.name);
    const archive = {
      ...name,
      primaryKey,
      ...(definition !== undefined && { definition: definitionOf(definition) }),
      ...(counts !== undefined && { documentCount: counts.documents, changeCount: counts.changes }),
    };
    const plan = planTable(archive, target, mode, this.#serverCount);
    const definitionPlan = archive.definition && planDefinition(archive.definition, target, mode);
    this.#record.refusals.push(...plan.refusals);
    if (definitionPlan !== undefined) this.#note(definitionPlan);
    return newTableRecord(plan, definitionPlan);
  }

  #note({ refusals, warnings }: DefinitionPlan): void {
    this.#record.refusals.push(...refusals);
    for (const text of warnings) warn(this.#record, this.#world, text);
  }

  /** Throws a UsageError for patterns of `--table` that no table of the archive matched. */
  #demandMatches(): void {
    if (this.#unmatched.size === 0) return;
    throw new UsageError([...this.#unmatched].map((name) => `--table ${qualifiedName(name)}: not in the archive`));
  }

  /** Of what an archive in the vendor's form cannot give back. */
  #warnOf(manifest: Manifest | undefined): void {
    if (manifest?.documentEncoding === 'reql') return;
    const lost = 'times and binary values are text in this archive (encoding dtr) and are written as text';
    warn(this.#record, this.#world, lost);
    if (manifest !== undefined) return;
    const made = this.#record.tables.filter(({ plan }) => plan.action === 'create');
    if (made.length === 0) return;
    const guessed = made.map(({ plan: { archive } }) => `${qualifiedName(archive)} (${archive.primaryKey})`).join(', ');
    const text = 'the archive tells neither databases nor primary keys nor indexes; taken for granted without indexes';
    warn(this.#record, this.#world, `${text}: ${guessed}`);
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

function matchesAny(patterns: readonly TablePattern[], table: TableName): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, table));
}

function definitionOf({ documents, changes, ...definition }: ManifestTable): TableDefinition {
  return definition;
}
