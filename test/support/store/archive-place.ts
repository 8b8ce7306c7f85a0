/** A directory with archives and their summaries, as backups leave them. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ListedArchive } from '#src/jobs/places/archive-list.js';
import { summaryPathOf, type Summary } from '#src/model/summary.js';
import { makeArchive, sampleRoot } from '../archive/sample.js';

export const replicaA = '0a1b2c3d4e5f';
export const replicaB = 'b0b0b0b0b0b0';

type Metadata = Extract<Summary, { kind: 'metadata' }>;
type Images = Extract<Summary, { kind: 'images' }>;

const common = {
  summaryVersion: 1,
  tool: { name: 'dtr-backup', version: '0.0.0' },
  name: 'a.tar',
  replicaId: replicaA,
  dtrVersion: '2.9.4',
  startedAt: '2026-11-23T10:00:00.250Z',
  finishedAt: '2026-11-23T10:01:00.000Z',
  stored: { bytes: 1, sha256: '0'.repeat(64) },
  isEncrypted: false,
  isShort: false,
} as const;

export function metadataSummary(altered: Partial<Metadata> = {}): Metadata {
  return {
    kind: 'metadata',
    ...common,
    root: sampleRoot,
    mode: 'online',
    consistency: 'scan',
    rethinkdbVersion: '2.4.4',
    documents: { count: 5, bytes: 500 },
    changes: { count: 0, bytes: 0 },
    tables: [],
    certificates: 0,
    ...altered,
  };
}

export function imageSummary(altered: Partial<Images> = {}): Images {
  const root = `dtr-registry-${altered.replicaId ?? replicaA}`;
  return {
    kind: 'images',
    ...common,
    root,
    files: { count: 3, bytes: 30 },
    blobs: { count: 2, bytes: 20 },
    ...altered,
  };
}

/** For tests of what reads no files. */
export function listed(summary: Summary, state: ListedArchive['state'] = { kind: 'complete' }): ListedArchive {
  return { path: `place/${summary.name}`, summary, state };
}

export interface Written {
  readonly startedAt?: string;
  readonly replicaId?: string;
  /** Changes the summary before it is written. */
  readonly alter?: (summary: Summary) => unknown;
  /** Changes the bytes; the summary is that of the result. */
  readonly wrap?: (archive: Buffer) => Buffer | Promise<Buffer>;
}

export class SamplePlace implements Disposable {
  /** Ends in `/`. */
  readonly directory = `${mkdtempSync(join(tmpdir(), 'place-'))}/`;

  path(name: string): string {
    return join(this.directory, name);
  }

  /** All names in it, sorted. */
  names(): string[] {
    return readdirSync(this.directory).sort();
  }

  write(name: string, content: string | Buffer): void {
    writeFileSync(this.path(name), content);
  }

  /** A metadata archive and its summary. */
  async addMetadata(name: string, options: Written = {}): Promise<Metadata> {
    const { startedAt = common.startedAt, replicaId = replicaA, wrap = (bytes: Buffer) => bytes } = options;
    const archive = await makeArchive([{ name: 'tags', texts: ['{"id":"1"}'] }], {
      startedAt: new Date(startedAt),
      alterPlan: (plan) => ({ ...plan, replicaId }),
    });
    const summary = metadataSummary({ name, startedAt, replicaId });
    return this.add(summary, await wrap(archive), options);
  }

  add<S extends Summary>(about: S, stored: Buffer, { alter = (summary) => summary }: Written = {}): S {
    const sha256 = createHash('sha256').update(stored).digest('hex');
    const summary = { ...about, stored: { bytes: stored.length, sha256 } };
    this.write(summary.name, stored);
    this.write(summaryPathOf(summary.name), JSON.stringify(alter(summary)));
    return summary;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
