/** Compares what was read of an archive with what its manifest says should be there. */
import type { Certificate, EntriesChecksum, Manifest, ManifestTable } from '../../model/manifest.js';
import type { FindingSink } from '../../model/finding.js';
import { entriesDirectory, layout, rootName } from '../layout.js';
import type { TableCheck } from './table-check.js';

/** What was read; tables and certificates in the order of the archive. */
export interface Seen {
  readonly root: string;
  /** Of all files; undefined when there was none. */
  readonly mtimeSeconds: number | undefined;
  readonly tables: ReadonlyMap<string, TableCheck>;
  readonly certificates: readonly Certificate[];
}

/** Adds a finding for everything that differs. */
export function compareWithManifest(manifest: Manifest, seen: Seen, findings: FindingSink): void {
  const { root } = seen;
  const manifestPath = layout.manifest(root);
  if (root !== rootName(manifest))
    findings.add(layout.root(root), `should be ${layout.root(rootName(manifest))} by the manifest`);
  if (seen.mtimeSeconds !== Math.floor(Date.parse(manifest.startedAt) / 1000)) {
    findings.add(manifestPath, 'gives another start than the modification times');
  }
  const tablePath = (name: string): string => layout.table(root, name);
  compareNames(
    manifest.tables.map(({ name }) => tablePath(name)),
    [...seen.tables.keys()].map(tablePath),
    manifestPath,
    findings,
  );
  for (const table of manifest.tables) {
    const check = seen.tables.get(table.name);
    if (check !== undefined) compareTable(manifest, table, check, root, findings);
  }
  const certificatePath = ({ path }: Certificate): string => layout.certificate(root, path);
  compareNames(
    manifest.certificates.map(certificatePath),
    seen.certificates.map(certificatePath),
    manifestPath,
    findings,
  );
  const byPath = new Map(seen.certificates.map((certificate) => [certificate.path, certificate]));
  for (const expected of manifest.certificates) {
    const found = byPath.get(expected.path);
    if (found !== undefined) compareMembers(expected, found, certificatePath(expected), findings);
  }
}

function compareNames(
  expected: readonly string[],
  found: readonly string[],
  manifestPath: string,
  findings: FindingSink,
): void {
  const expectedSet = new Set(expected);
  const foundSet = new Set(found);
  const missing = expected.filter((name) => !foundSet.has(name));
  const added = found.filter((name) => !expectedSet.has(name));
  for (const name of missing) findings.add(name, 'is missing');
  for (const name of added) findings.add(name, 'is not in the manifest');
  if (expectedSet.size !== expected.length || foundSet.size !== found.length)
    findings.add(manifestPath, 'names something twice');
  else if (missing.length === 0 && added.length === 0 && expected.some((name, index) => name !== found[index])) {
    findings.add(manifestPath, 'gives another order than the archive has');
  }
}

function compareTable(
  manifest: Manifest,
  table: ManifestTable,
  check: TableCheck,
  root: string,
  findings: FindingSink,
): void {
  const { consistency, documentEncoding } = manifest;
  const isOrdered = consistency === 'scan';
  for (const kind of ['documents', 'changes'] as const) {
    const directory = entriesDirectory(root, kind, table.name);
    compareMembers<EntriesChecksum>(table[kind], check[kind].checksums, directory, findings);
    const fault = check.keyFault(kind, table.primaryKey, { documentEncoding, isOrdered });
    if (fault === undefined) continue;
    findings.add(`${directory}${fault.number}`, `${fault.reason} (${JSON.stringify(table.primaryKey)})`);
  }
  if (isOrdered && table.changes.count > 0) {
    findings.add(layout.manifest(root), `says that ${table.name} was only scanned, and that it has changes`);
  }
}

const memberWords: Readonly<Record<string, string>> = {
  count: 'entries',
  bytes: 'bytes',
  largestBytes: 'bytes at most',
};

/** Proofs and certificates: numbers are told, checksums are only said to differ. */
function compareMembers<T extends object>(expected: T, found: T, path: string, findings: FindingSink): void {
  const members = new Set([...Object.keys(expected), ...Object.keys(found)]) as Set<keyof T & string>;
  for (const member of members) {
    const value = expected[member];
    if (found[member] === value) continue;
    if (member === 'sha256') findings.add(path, 'does not match its SHA-256: it was altered');
    else if (member === 'orderSha256') findings.add(path, 'has entries that stand elsewhere than they were written');
    else
      findings.add(
        path,
        `has ${String(found[member])} ${memberWords[member] ?? member}, the manifest says ${String(value)}`,
      );
  }
}
