/** What a conversion does to an archive, decided by its plan and manifest before the first byte. Pure. */
import { UsageError } from '../../base/errors.js';
import type {
  Conversion,
  DocumentEncoding,
  Manifest,
  Plan,
  PlannedTable,
  TableCut,
  Tool,
} from '../../model/manifest.js';
import { matchesPattern, type TablePattern, qualifiedName } from '../../model/table.js';

export interface ConversionOptions {
  /** That of the archive when left out. */
  readonly documentEncoding?: DocumentEncoding | undefined;
  readonly drop: readonly TablePattern[];
  readonly tool: Tool;
}

export interface ConversionPlan {
  /** Of the archive that is read. */
  readonly source: Plan;
  /** Of the archive that is written. */
  readonly target: Plan;
  /** Those of the target, by directory. */
  readonly tables: ReadonlyMap<string, PlannedTable>;
  /** When the backup ended. */
  readonly finishedAt: Date;
  /** By directory. */
  readonly cuts: ReadonlyMap<string, TableCut>;
  /** Of the tables kept. */
  readonly changeCount: number;
  readonly droppedTables: readonly string[];
  /** Earlier conversions, and this one. */
  readonly conversions: (convertedAt: Date) => Conversion[];
}

/** Throws a UsageError that lists everything that cannot be done. */
export function planConversion(
  { plan, manifest }: { readonly plan: Plan; readonly manifest: Manifest },
  { documentEncoding = plan.documentEncoding, drop, tool }: ConversionOptions,
): ConversionPlan {
  const isDropped = (table: PlannedTable): boolean => drop.some((pattern) => matchesPattern(pattern, table));
  const tables = plan.tables.filter((table) => !isDropped(table));
  const unmatched = drop.filter((pattern) => !plan.tables.some((table) => matchesPattern(pattern, table)));
  const faults = unmatched.map((pattern) => `--drop-table ${qualifiedName(pattern)}: the archive has no such table`);
  if (tables.length === 0) faults.push('no table would be left in the archive');
  if (documentEncoding === 'reql' && plan.documentEncoding === 'dtr') {
    faults.push('times and binary values have become text in this archive (encoding dtr): reql cannot be made of it');
  }
  if (faults.length > 0) throw new UsageError(faults);
  const byDirectory = new Map(tables.map((table) => [table.directory, table]));
  const results = manifest.tables.filter(({ directory }) => byDirectory.has(directory));
  const changeCount = results.reduce((sum, { changes }) => sum + changes.count, 0);
  const droppedTables = plan.tables.filter(isDropped).map(qualifiedName);
  const leftOut = [...plan.leftOut, ...droppedTables.map((what) => ({ what, why: 'convert --drop-table' }))];
  return {
    source: plan,
    target: { ...plan, documentEncoding, leftOut, tables },
    tables: byDirectory,
    finishedAt: new Date(manifest.finishedAt),
    cuts: new Map(results.map(({ directory, documents, changes, ...cut }) => [directory, cut])),
    changeCount,
    droppedTables,
    conversions: (convertedAt) => [
      ...(manifest.conversions ?? []),
      {
        tool,
        convertedAt: convertedAt.toISOString(),
        foldedChanges: changeCount,
        droppedTables,
        ...(documentEncoding !== plan.documentEncoding && { documentEncodingBefore: plan.documentEncoding }),
      },
    ],
  };
}
