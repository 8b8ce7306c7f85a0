/** Reads an archive before anything is done with it: checks it where that is wanted, and finds out what it holds. */
import { layout } from '../archive/layout.js';
import { decodeManifest } from '../archive/manifest.js';
import { ArchiveVerifier } from '../archive/verify/verifier.js';
import { Findings } from '../archive/verify/findings.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Input } from '../model/archive-stream.js';
import type { FindingSink } from '../model/finding.js';
import type { Manifest, Plan } from '../model/manifest.js';
import { assertSound, openMetadata, unprovenText } from './archive-reading.js';
import type { JobContext } from './job-context.js';

export interface Survey {
  /** Whether every checksum was compared; otherwise only the tar itself and the numbers of entries. */
  readonly isVerified: boolean;
  readonly root: string;
  /** Plan and manifest; undefined in a foreign archive, which has neither. */
  readonly own: { readonly plan: Plan; readonly manifest: Manifest } | undefined;
  /** By directory, in the order of the archive. */
  readonly tables: ReadonlyMap<string, EntryCounts>;
  readonly certificateCount: number;
  /** Of all bytes of the tar: a second reading that gives another one is of another archive. */
  readonly sha256: string;
}

interface EntryCounts {
  readonly documents: number;
  readonly changes: number;
}

const noEntries: EntryCounts = { documents: 0, changes: 0 };

interface SurveyOptions {
  readonly isVerified: boolean;
  /** Whether a foreign archive, whose completeness cannot be verified, is accepted. */
  readonly allowUnproven: boolean;
}

/** Throws a JobError with exit code 9 for an archive that is not to be used. */
export async function surveyArchive(input: Input, options: SurveyOptions, context: JobContext): Promise<Survey> {
  const { isVerified, allowUnproven } = options;
  const verifier = isVerified ? new ArchiveVerifier() : undefined;
  const findings = verifier?.findings ?? new Findings();
  const reading = await openMetadata(input, findings, context);
  const { reader } = reading;
  const tables = new Map<string, EntryCounts>();
  let certificateCount = 0;
  let plan: Plan | undefined;
  let manifest: Manifest | undefined;
  for await (const item of reading.items) {
    verifier?.add(item, reader);
    if (item.kind === 'plan') plan = item.plan;
    else if (item.kind === 'certificate') certificateCount += 1;
    else if (item.kind === 'manifest') manifest = verifier === undefined ? decodeManifest(item.body) : undefined;
    else {
      const counts = tables.get(item.directory) ?? noEntries;
      const added = item.kind === 'table' ? {} : { [item.kind]: counts[item.kind] + item.count };
      tables.set(item.directory, { ...counts, ...added });
    }
  }
  if (verifier !== undefined) ({ manifest } = verifier.verdict(reader));
  else if (manifest !== undefined) compareCounts(manifest, { root: reader.root ?? '', tables }, findings);
  else if (!reader.isForeign) findings.add(layout.manifest(reader.root ?? ''), 'is missing');
  assertSound(input, findings);
  if (reader.isForeign && !allowUnproven) {
    const text = unprovenText(input, '--allow-unproven restores it all the same');
    throw new JobError(ExitCode.archiveInvalid, text);
  }
  const own = plan && manifest && { plan, manifest };
  return { isVerified, root: reader.root ?? '', own, tables, certificateCount, sha256: reading.sha256() };
}

function compareCounts(
  manifest: Manifest,
  { root, tables }: { readonly root: string; readonly tables: ReadonlyMap<string, EntryCounts> },
  findings: FindingSink,
): void {
  for (const { directory, documents, changes } of manifest.tables) {
    const found = tables.get(directory) ?? noEntries;
    if (found.documents === documents.count && found.changes === changes.count) continue;
    findings.add(layout.table(root, directory), 'has another number of entries than the manifest says');
  }
}
