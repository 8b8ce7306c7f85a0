/** Proves an archive whole and unaltered while it is read, or finds out what is wrong with it. */
import { createHash } from 'node:crypto';
import { JobError } from '../../base/errors.js';
import type { Finding } from '../../model/finding.js';
import type { Certificate, Manifest } from '../../model/manifest.js';
import { Findings } from './findings.js';
import { entriesDirectory, layout, type EntryKind } from '../layout.js';
import { compareWithManifest } from './manifest-check.js';
import { decodeManifest } from '../manifest.js';
import type { ArchiveItem } from '../read/reader.js';
import { TableCheck } from './table-check.js';

export interface Verdict {
  readonly kind: 'metadata';
  /** `whole`: proved against the manifest. `unproven`: nothing is wrong, but there is no manifest to prove it. */
  readonly state: 'whole' | 'unproven' | 'invalid';
  /** At most 100. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  readonly root: string | undefined;
  readonly manifest: Manifest | undefined;
  readonly tableCount: number;
  readonly documentCount: number;
  /** Of all documents together. */
  readonly documentBytes: number;
  /** Of all journals together. */
  readonly changeCount: number;
  readonly certificateCount: number;
  /**
   * Whether primary keys were proved unique: rows of a snapshot stand in no order, those of a `dtr` archive may stand in
   * that of what their text was made of, and only a manifest names the keys.
   */
  readonly areKeysChecked: boolean;
}

export class ArchiveVerifier {
  /** For the reader of the same archive. */
  readonly findings = new Findings();
  readonly #tables = new Map<string, TableCheck>();
  readonly #certificates: Certificate[] = [];
  #manifest: Manifest | undefined;
  #manifestMtimeSeconds: number | undefined;
  #hasManifest = false;

  /** Takes each item in turn, before the next is asked for. `root` is the reader's. */
  add(item: ArchiveItem, root = ''): void {
    if (item.kind === 'table') this.#table(item.table);
    else if (item.kind === 'certificate') {
      const sha256 = createHash('sha256').update(item.body).digest('hex');
      this.#certificates.push({ path: item.path, bytes: item.body.length, sha256 });
    } else if (item.kind === 'manifest') {
      this.#hasManifest = true;
      this.#manifestMtimeSeconds = item.mtimeSeconds;
      this.#decode(item.body, root);
    } else {
      const directory = entriesDirectory(root, item.kind, item.table);
      const report = (number: number, reason: string) => this.findings.add(`${directory}${number}`, reason);
      this.#table(item.table).add(item, report);
    }
  }

  /** What has been read so far. */
  get documents(): { readonly count: number; readonly bytes: number } {
    return this.#added('documents');
  }

  #added(kind: EntryKind): { readonly count: number; readonly bytes: number } {
    let count = 0;
    let bytes = 0;
    for (const { [kind]: entries } of this.#tables.values()) {
      count += entries.added.count;
      bytes += entries.added.bytes;
    }
    return { count, bytes };
  }

  /** Called once, when the reader has come to its end. */
  verdict(root: string | undefined): Verdict {
    if (this.#manifest !== undefined) {
      const seen = {
        root: root ?? '',
        mtimeSeconds: this.#manifestMtimeSeconds,
        tables: this.#tables,
        certificates: this.#certificates,
      };
      compareWithManifest(this.#manifest, seen, this.findings);
    }
    const findingCount = this.findings.count(this.#hasManifest);
    const { count, bytes } = this.documents;
    return {
      kind: 'metadata',
      state: findingCount > 0 ? 'invalid' : this.#hasManifest ? 'whole' : 'unproven',
      findings: this.findings.first(this.#hasManifest),
      findingCount,
      root,
      manifest: this.#manifest,
      tableCount: this.#tables.size,
      documentCount: count,
      documentBytes: bytes,
      changeCount: this.#added('changes').count,
      certificateCount: this.#certificates.length,
      areKeysChecked: findingCount === 0 && this.#areKeysChecked(),
    };
  }

  #areKeysChecked(): boolean {
    if (this.#manifest?.consistency !== 'scan') return false;
    return this.#manifest.tables.every(({ name, primaryKey }) => this.#tables.get(name)?.keys.isVerified(primaryKey));
  }

  #table(name: string): TableCheck {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = new TableCheck();
    this.#tables.set(name, table);
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
