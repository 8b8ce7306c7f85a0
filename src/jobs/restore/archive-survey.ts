/** Reads an archive before anything is done with it: proves it where that is wanted, and finds out what is in it. */
import { createHash } from 'node:crypto';
import { Findings } from '../../archive/verify/findings.js';
import { withHint } from '../../archive/damaged-input.js';
import type { Input } from '../../model/archive-stream.js';
import { layout } from '../../archive/layout.js';
import { decodeManifest } from '../../archive/manifest.js';
import { ArchiveReader } from '../../archive/read/reader.js';
import { recognise } from '../../archive/envelope/recognition.js';
import { ArchiveVerifier } from '../../archive/verify/verifier.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Finding } from '../../model/finding.js';
import type { Manifest } from '../../model/manifest.js';
import { ReadingProgress } from '../reading-progress.js';
import type { JobContext } from '../job-context.js';

export interface Survey {
  /** Whether it was proved; otherwise only the tar itself and the numbers of entries were compared with the manifest. */
  readonly isVerified: boolean;
  readonly root: string;
  /** Absent in a foreign archive. */
  readonly manifest: Manifest | undefined;
  /** By name, in the order of the archive. */
  readonly tables: ReadonlyMap<string, EntryCounts>;
  readonly certificateCount: number;
  /** Of all bytes of the tar: a second reading that gives another one is of another archive. */
  readonly sha256: string;
}

export interface EntryCounts {
  readonly documents: number;
  readonly changes: number;
}

const noEntries: EntryCounts = { documents: 0, changes: 0 };

/** The checksum of an archive while it is read. */
export class ArchiveChecksum {
  readonly #hash = createHash('sha256');

  async *over(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of chunks) {
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  /** Called once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

export interface SurveyOptions {
  readonly isVerified: boolean;
  readonly allowUnproven: boolean;
}

/** Throws a JobError with exit code 9 for an archive that is not to be restored. */
export async function surveyArchive(input: Input, options: SurveyOptions, context: JobContext): Promise<Survey> {
  const { imageRoot, chunks } = await recognise(input.chunks);
  if (imageRoot !== undefined) {
    const remedy = 'unpack it with tar -xf FILE -C /var/lib/docker/volumes on the node of the replica';
    throw new JobError(ExitCode.archiveInvalid, `${input.name} holds images, not metadata: ${remedy}`);
  }
  const verifier = options.isVerified ? new ArchiveVerifier() : undefined;
  const findings = verifier?.findings ?? new Findings();
  const checksum = new ArchiveChecksum();
  const reader = new ArchiveReader(checksum.over(chunks), findings);
  const progress = new ReadingProgress(input.sizeBytes, context);
  const tables = new Map<string, EntryCounts>();
  let certificateCount = 0;
  let manifest: Manifest | undefined;
  for await (const item of reader.items()) {
    verifier?.add(item, reader.root);
    if (item.kind === 'certificate') certificateCount += 1;
    else if (item.kind === 'manifest') manifest = verifier === undefined ? decodeManifest(item.body) : manifest;
    else if (item.kind === 'table') tables.set(item.table, tables.get(item.table) ?? noEntries);
    else {
      const counts = tables.get(item.table) ?? noEntries;
      tables.set(item.table, { ...counts, [item.kind]: counts[item.kind] + item.count });
    }
    progress.advance(reader.position);
  }
  if (verifier !== undefined) ({ manifest } = verifier.verdict(reader.root));
  else if (manifest !== undefined) compareCounts(manifest, tables, reader.root ?? '', findings);
  assertSound(input, findings, manifest !== undefined, options.allowUnproven);
  const { isVerified } = options;
  const { root = '' } = reader;
  return { isVerified, root, manifest, tables, certificateCount, sha256: checksum.digest() };
}

function compareCounts(
  manifest: Manifest,
  tables: ReadonlyMap<string, EntryCounts>,
  root: string,
  findings: Findings,
): void {
  for (const { name, documents, changes } of manifest.tables) {
    const found = tables.get(name) ?? noEntries;
    if (found.documents === documents.count && found.changes === changes.count) continue;
    findings.add(layout.table(root, name), 'has another number of entries than the manifest says');
  }
}

/** Throws a JobError with exit code 9 that names the first finding, or says that nothing proves the archive. */
export function assertSound(input: Input, findings: Findings, hasManifest: boolean, allowUnproven: boolean): void {
  const count = findings.count(hasManifest);
  const [first] = findings.first(hasManifest);
  if (first !== undefined) throw invalid(input, first, count);
  if (hasManifest || allowUnproven) return;
  const unproven = `${input.name} has no manifest: completeness cannot be verified (--allow-unproven restores it all the same)`;
  throw new JobError(ExitCode.archiveInvalid, unproven);
}

/** For an archive that is not the same when it is read again. */
export function hasChanged({ name }: Input): JobError {
  return new JobError(ExitCode.archiveInvalid, `${name} has changed since it was verified`);
}

function invalid(input: Input, { entry, reason }: Finding, count: number): JobError {
  const what = entry === undefined ? reason : `${entry}: ${reason}`;
  const others = count > 1 ? `, and ${count - 1} more findings (verify lists them)` : '';
  return new JobError(ExitCode.archiveInvalid, withHint(`${input.name} is invalid: ${what}${others}`, input));
}
