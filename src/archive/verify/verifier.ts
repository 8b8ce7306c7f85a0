/** Checks that an archive is whole and unaltered while it is read, or finds out what is wrong with it. */
import { createHash } from 'node:crypto';
import { JobError } from '../../base/errors.js';
import type { Finding } from '../../model/finding.js';
import type { Certificate, Manifest, Plan } from '../../model/manifest.js';
import { entriesDirectory, layout, type EntryKind } from '../layout.js';
import { decodeManifest } from '../manifest.js';
import type { ArchiveItem, ArchiveReader } from '../read/reader.js';
import { Findings } from './findings.js';
import { compareWithManifest } from './manifest-check.js';
import { isOrdered, type KeyRules } from './primary-keys.js';
import { TableCheck } from './table-check.js';

export interface Verdict {
  readonly kind: 'metadata';
  /** `whole`: checked against plan and manifest. `unproven`: nothing is wrong, but a foreign archive has no checksums. */
  readonly state: 'whole' | 'unproven' | 'invalid';
  /** At most 100. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  readonly root: string | undefined;
  /** Absent in a foreign archive, and where it cannot be read. */
  readonly plan: Plan | undefined;
  readonly manifest: Manifest | undefined;
  readonly tableCount: number;
  readonly documentCount: number;
  /** Of all documents together. */
  readonly documentBytes: number;
  /** Of all journals together. */
  readonly changeCount: number;
  readonly certificateCount: number;
  /** Whether primary keys were found unique, which only the documents of a scan in encoding `reql` show. */
  readonly areKeysChecked: boolean;
}

export class ArchiveVerifier {
  /** For the reader of the same archive. */
  readonly findings = new Findings();
  /** By directory. */
  readonly #tables = new Map<string, TableCheck>();
  readonly #certificates: Certificate[] = [];
  #plan: { readonly plan: Plan; readonly checksum: string; readonly rules: ReadonlyMap<string, KeyRules> } | undefined;
  #manifest: Manifest | undefined;

  /** Takes each item in turn, before the next is asked for. */
  add(item: ArchiveItem, { root = '' }: Pick<ArchiveReader, 'root'>): void {
    if (item.kind === 'plan') this.#plan = { ...item, rules: rulesOf(item.plan) };
    else if (item.kind === 'table') this.#table(item.directory);
    else if (item.kind === 'manifest') this.#decode(item.body, root);
    else if (item.kind === 'certificate') {
      const sha256 = createHash('sha256').update(item.body).digest('hex');
      this.#certificates.push({ path: item.path, bytes: item.body.length, sha256 });
    } else {
      const directory = entriesDirectory(root, item.kind, item.directory);
      const report = (number: number, reason: string) => this.findings.add(`${directory}${number}`, reason);
      this.#table(item.directory)[item.kind].check(item, report);
    }
  }

  /** Called once, when the reader has come to its end. */
  verdict({ root, isForeign }: Pick<ArchiveReader, 'root' | 'isForeign'>): Verdict {
    this.#compare(root ?? '', isForeign);
    const { count: findingCount, first: findings } = this.findings;
    const plan = this.#plan?.plan;
    const documents = this.#added('documents');
    return {
      kind: 'metadata',
      state: findingCount > 0 ? 'invalid' : isForeign ? 'unproven' : 'whole',
      findings,
      findingCount,
      root,
      plan,
      manifest: this.#manifest,
      tableCount: this.#tables.size,
      documentCount: documents.count,
      documentBytes: documents.bytes,
      changeCount: this.#added('changes').count,
      certificateCount: this.#certificates.length,
      areKeysChecked: findingCount === 0 && plan !== undefined && isOrdered(plan),
    };
  }

  #compare(root: string, isForeign: boolean): void {
    if (this.#plan === undefined || this.#manifest === undefined) {
      // What cut the archive short, or is wrong with its plan or manifest, is a finding already.
      if (!isForeign && this.findings.count === 0) this.findings.add(layout.manifest(root), 'is missing');
      return;
    }
    const { plan, checksum: planChecksum } = this.#plan;
    const seen = { root, plan, planChecksum, tables: this.#tables, certificates: this.#certificates };
    compareWithManifest(this.#manifest, seen, this.findings);
  }

  #added(kind: EntryKind): { readonly count: number; readonly bytes: number } {
    const added = [...this.#tables.values()].map((table) => table[kind].added);
    return {
      count: added.reduce((sum, { count }) => sum + count, 0),
      bytes: added.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  #table(directory: string): TableCheck {
    const known = this.#tables.get(directory);
    if (known !== undefined) return known;
    const table = new TableCheck(this.#plan?.rules.get(directory));
    this.#tables.set(directory, table);
    return table;
  }

  #decode(body: Buffer, root: string): void {
    try {
      this.#manifest = decodeManifest(body);
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      this.findings.add(layout.manifest(root), error.message.replace(/^manifest\.json /, ''));
    }
  }
}

function rulesOf(plan: Plan): ReadonlyMap<string, KeyRules> {
  const { documentEncoding } = plan;
  return new Map(
    plan.tables.map(({ directory, primaryKey }) => [
      directory,
      { primaryKey, documentEncoding, isOrdered: isOrdered(plan) },
    ]),
  );
}
