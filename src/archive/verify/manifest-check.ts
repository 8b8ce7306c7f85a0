/** Compares what was read of an archive with what its plan and its manifest say should be there. */
import type { Certificate, EntriesChecksum, Manifest, Plan, TableResult } from '../../model/manifest.js';
import type { FindingSink } from '../../model/finding.js';
import { entriesDirectory, layout } from '../layout.js';
import type { TableCheck } from './table-check.js';

/** What was read. */
interface Seen {
  readonly root: string;
  readonly plan: Plan;
  /** The plan's own. */
  readonly planChecksum: string;
  /** By directory. */
  readonly tables: ReadonlyMap<string, TableCheck>;
  /** In the order of the archive. */
  readonly certificates: readonly Certificate[];
}

/** Adds a finding for everything that differs. */
export function compareWithManifest(manifest: Manifest, seen: Seen, findings: FindingSink): void {
  const { root, plan } = seen;
  const manifestPath = layout.manifest(root);
  if (manifest.planChecksum !== seen.planChecksum) findings.add(manifestPath, 'belongs to another plan');
  const directories = manifest.tables.map(({ directory }) => directory);
  if (directories.join('\n') !== plan.tables.map(({ directory }) => directory).join('\n'))
    findings.add(manifestPath, 'names other tables than the plan');
  for (const table of manifest.tables) {
    const check = seen.tables.get(table.directory);
    if (check === undefined) findings.add(layout.table(root, table.directory), 'is missing');
    else compareTable(table, check, seen, findings);
  }
  compareCertificates(manifest, seen, findings);
}

function compareTable(table: TableResult, check: TableCheck, { root, plan }: Seen, findings: FindingSink): void {
  for (const kind of ['documents', 'changes'] as const) {
    const directory = entriesDirectory(root, kind, table.directory);
    compareMembers<EntriesChecksum>(table[kind], check[kind].checksums, directory, findings);
  }
  if (plan.consistency === 'scan' && table.changes.count > 0)
    findings.add(
      layout.tableChanges(root, table.directory),
      'has changes, though the plan says that tables are scanned',
    );
}

function compareCertificates({ certificates }: Manifest, seen: Seen, findings: FindingSink): void {
  const pathOf = ({ path }: Certificate): string => layout.certificate(seen.root, path);
  const expected = new Set(certificates.map(pathOf));
  const found = new Map(seen.certificates.map((certificate) => [pathOf(certificate), certificate]));
  for (const path of found.keys()) if (!expected.has(path)) findings.add(path, 'is not in the manifest');
  for (const certificate of certificates) {
    const there = found.get(pathOf(certificate));
    if (there === undefined) findings.add(pathOf(certificate), 'is missing');
    else compareMembers(certificate, there, pathOf(certificate), findings);
  }
  const order = certificates.map(pathOf).join('\n');
  if (expected.size === found.size && order !== seen.certificates.map(pathOf).join('\n'))
    findings.add(layout.manifest(seen.root), 'gives the certificates in another order than the archive');
}

const memberWords: Readonly<Record<string, string>> = {
  count: 'entries',
  bytes: 'bytes',
  largestBytes: 'bytes at most',
};

/** A finding for each member that differs, with both numbers. */
function compareMembers<T extends object>(expected: T, found: T, path: string, findings: FindingSink): void {
  const members = new Set([...Object.keys(expected), ...Object.keys(found)]) as Set<keyof T & string>;
  for (const member of members) {
    const value = expected[member];
    if (found[member] === value) continue;
    if (member === 'sha256') findings.add(path, 'does not match its SHA-256: it was altered');
    else if (member === 'orderSha256') findings.add(path, 'has entries in other places than they were written to');
    else {
      const word = memberWords[member] ?? member;
      findings.add(path, `has ${String(found[member])} ${word}, the manifest says ${String(value)}`);
    }
  }
}
