/** What a restore will do, and why it will not, decided before anything is written. Pure. */
import { dtrVersionOfRoot, limits } from '../../archive/layout.js';
import { JobError, UsageError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { formatCount } from '../../base/format.js';
import { printable } from '../../base/printable.js';
import { dtrPrimaryKeyOf } from '../../model/dtr-tables.js';
import { isSameMinorDtr, type DtrVersion } from '../../model/dtr-version.js';
import type { PlannedTable } from '../../model/manifest.js';
import { matchesPattern, qualifiedName, type TableName, type TablePattern } from '../../model/table.js';
import type { Survey } from '../archive-survey.js';
import type { RestoreTarget } from './restore-target.js';
import { planTable, type Refusal, type RestoreMode, type TablePlan } from './table-plan.js';

export interface RestorePlan {
  /** The archive's root directory. */
  readonly root: string;
  readonly replicaId: string | undefined;
  readonly replicaVersion: DtrVersion;
  /** In the order of the archive: those that were chosen. */
  readonly tables: readonly TablePlan[];
  /** Why nothing is done. */
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
}

/** What the operator asked for. */
export interface RestoreWishes {
  readonly mode: RestoreMode;
  /** None chooses all tables. */
  readonly only: readonly TablePattern[];
  readonly allowVersionMismatch: boolean;
  /** Whether indexes and write hooks that the server does not accept are left out. */
  readonly skipsIndexes: boolean;
  readonly withCertificates: boolean;
  /** Whether every document is compared with the archive in the end. */
  readonly comparesContent: boolean;
}

/** What was found out about archive and replica. */
interface RestoreFacts {
  readonly survey: Survey;
  readonly target: RestoreTarget;
  readonly replica: { readonly id: string | undefined; readonly dtrVersion: DtrVersion };
  /** Whether the version is that of the archive, as neither UCP nor the operator gave one. */
  readonly isVersionAssumed: boolean;
}

export function isChosen(table: TableName, { only }: Pick<RestoreWishes, 'only'>): boolean {
  return only.length === 0 || only.some((pattern) => matchesPattern(pattern, table));
}

/** Throws a UsageError for patterns of `--table` that no table of the archive matches. */
export function planRestore(facts: RestoreFacts, wishes: RestoreWishes): RestorePlan {
  const { survey, target, replica } = facts;
  assertMatched([...target.tables.values()], wishes.only);
  const planned = new Map(survey.own?.plan.tables.map((table) => [table.directory, table]));
  const chosen = [...target.tables].filter(([, table]) => isChosen(table, wishes));
  const tables = chosen.map(([directory, table]): TablePlan => {
    const { documents = 0, changes = 0 } = survey.tables.get(directory) ?? {};
    const { database, name } = table;
    const definition = planned.get(directory);
    const primaryKey = definition?.primaryKey ?? table.target?.primaryKey ?? dtrPrimaryKeyOf(name);
    const archive = {
      ...{ directory, database, name, definition: definition && definitionOf(definition) },
      ...{ primaryKey: primaryKey ?? 'id', documentCount: documents, changeCount: changes },
    };
    const { mode, skipsIndexes } = wishes;
    const { serverCount, refusedFunctions, refusedNames } = target;
    const known = { target: table.target, mode, skipsIndexes, serverCount, refusedFunctions, refusedNames };
    const plan = planTable(archive, known);
    return primaryKey === undefined ? { ...plan, refusals: [unknownKey(table), ...plan.refusals] } : plan;
  });
  const version = judgeVersion(facts, wishes);
  const isWithoutCertificates = wishes.withCertificates && survey.certificateCount === 0;
  return {
    root: survey.root,
    replicaId: replica.id,
    replicaVersion: replica.dtrVersion,
    tables,
    refusals: [
      ...(facts.isVersionAssumed && target.hasDtrTables ? [unknownVersion] : []),
      ...version.refusals,
      ...tables.flatMap(({ refusals }) => refusals),
      ...(isWithoutCertificates ? [noCertificates] : []),
      ...(wishes.comparesContent ? comparisonRefusals(survey) : []),
    ],
    warnings: [...version.warnings, ...tables.flatMap(({ warnings }) => warnings), ...lossWarnings(survey, tables)],
  };
}

const maxToldRefusals = 5;

/** What a refused run ends with: exit code 10. */
export function refusalError(refusals: readonly Refusal[]): JobError {
  const told = refusals.slice(0, maxToldRefusals).map(({ what }) => what);
  if (refusals.length > maxToldRefusals) told.push(`and ${refusals.length - maxToldRefusals} more`);
  const remedies = new Set(refusals.map(({ remedy }) => remedy));
  return new JobError(ExitCode.restoreRefused, `restore refused: ${told.join(', ')}: ${[...remedies].join('; ')}`);
}

const unknownVersion: Refusal = {
  what: 'this RethinkDB has tables of DTR, and without UCP their version cannot be detected',
  remedy: 'give the version with --dtr-version (DTR_VERSION)',
};

const noCertificates: Refusal = {
  what: 'the archive holds no certificate files',
  remedy: 'leave out --certificates',
};

function comparisonRefusals({ tables }: Survey): Refusal[] {
  const changeCount = [...tables.values()].reduce((sum, { changes }) => sum + changes, 0);
  if (changeCount <= limits.foldedChanges) return [];
  const what = `the archive has ${formatCount(changeCount)} changes: its content can be compared with ${formatCount(limits.foldedChanges)} at most`;
  return [{ what, remedy: 'leave out --verify' }];
}

function unknownKey(name: TableName): Refusal {
  return {
    what: `neither the archive nor the replica tells the primary key of ${qualifiedName(name)}`,
    remedy: 'restore into a replica that DTR has installed, which has this table',
  };
}

function assertMatched(tables: readonly TableName[], only: readonly TablePattern[]): void {
  const unmatched = only.filter((pattern) => !tables.some((table) => matchesPattern(pattern, table)));
  if (unmatched.length === 0) return;
  throw new UsageError(unmatched.map((name) => `--table ${qualifiedName(name)}: not in the archive`));
}

/** DTR's tables change with its minor versions; a replica reads only those of its own. */
function judgeVersion(
  { survey: { root }, replica: { dtrVersion } }: RestoreFacts,
  { allowVersionMismatch }: RestoreWishes,
): { readonly refusals: readonly Refusal[]; readonly warnings: readonly string[] } {
  const version = dtrVersionOfRoot(root);
  if (version !== undefined && isSameMinorDtr(version, dtrVersion)) return { refusals: [], warnings: [] };
  const origin = version === undefined ? 'does not tell its DTR version' : `is of DTR ${version}`;
  const what = `the archive (${printable(root)}) ${origin}, the replica runs ${dtrVersion}`;
  if (allowVersionMismatch) return { refusals: [], warnings: [what] };
  return { refusals: [{ what, remedy: '--allow-version-mismatch restores it all the same' }], warnings: [] };
}

/** What an archive in docker/dtr's form cannot give back. */
function lossWarnings({ own }: Survey, tables: readonly TablePlan[]): string[] {
  if (own?.plan.documentEncoding === 'reql') return [];
  const lost = 'times and binary values are text in this archive (encoding dtr) and are written as text';
  const guessed = own === undefined ? tables.filter(({ action }) => action === 'create') : [];
  if (guessed.length === 0) return [lost];
  const names = guessed.map(({ archive }) => `${qualifiedName(archive)} (${archive.primaryKey})`).join(', ');
  const text = 'the archive tells neither databases nor primary keys nor indexes; taken for granted without indexes';
  return [lost, `${text}: ${names}`];
}

function definitionOf({ directory, ...definition }: PlannedTable): Omit<PlannedTable, 'directory'> {
  return definition;
}
