/** What a conversion does to an archive, decided by its manifest before the first byte. Pure. */
import { UsageError } from '../../base/errors.js';
import type { Conversion, DocumentEncoding, Manifest, ManifestTable } from '../../model/manifest.js';
import { matchesPattern, type TablePattern, qualifiedName } from '../../model/table.js';

export interface ConversionWishes {
  /** That of the archive when left out. */
  readonly documentEncoding?: DocumentEncoding | undefined;
  readonly drop: readonly TablePattern[];
}

export interface ConversionPlan {
  readonly manifest: Manifest;
  /** By name. */
  readonly kept: ReadonlyMap<string, ManifestTable>;
  readonly dropped: readonly string[];
  readonly documentEncoding: DocumentEncoding;
  /** Of the tables kept. */
  readonly changeCount: number;
}

/** Throws a UsageError that lists everything that cannot be done. */
export function planConversion(manifest: Manifest, { documentEncoding, drop }: ConversionWishes): ConversionPlan {
  const isDropped = (table: ManifestTable): boolean => drop.some((pattern) => matchesPattern(pattern, table));
  const kept = manifest.tables.filter((table) => !isDropped(table));
  const unmatched = drop.filter((pattern) => !manifest.tables.some((table) => matchesPattern(pattern, table)));
  const faults = unmatched.map((pattern) => `--drop-table ${qualifiedName(pattern)}: the archive has no such table`);
  if (kept.length === 0) faults.push('no table would be left in the archive');
  if (documentEncoding === 'reql' && manifest.documentEncoding === 'dtr') {
    faults.push('times and binary values have become text in this archive (encoding dtr): reql cannot be made of it');
  }
  if (faults.length > 0) throw new UsageError(faults);
  return {
    manifest,
    kept: new Map(kept.map((table) => [table.name, table])),
    dropped: manifest.tables.filter(isDropped).map(qualifiedName),
    documentEncoding: documentEncoding ?? manifest.documentEncoding,
    changeCount: kept.reduce((sum, { changes }) => sum + changes.count, 0),
  };
}

/** The manifest of what comes of it: that of the backup, and what was done to it since. */
export function convertedManifest(
  { manifest, dropped, documentEncoding, changeCount }: ConversionPlan,
  tables: ManifestTable[],
  { tool, convertedAt }: { readonly tool: Manifest['tool']; readonly convertedAt: Date },
): Manifest {
  const conversion: Conversion = {
    tool,
    convertedAt: convertedAt.toISOString(),
    foldedChanges: changeCount,
    droppedTables: [...dropped],
    ...(documentEncoding !== manifest.documentEncoding && { documentEncodingBefore: manifest.documentEncoding }),
  };
  return {
    ...manifest,
    documentEncoding,
    leftOut: [...manifest.leftOut, ...dropped.map((what) => ({ what, why: 'convert --drop-table' }))],
    tables,
    conversions: [...(manifest.conversions ?? []), conversion],
  };
}
