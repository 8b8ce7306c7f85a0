/**
 * The convert job, top to bottom: prove the archive, plan by its manifest, take its journals, write it anew. The
 * archive is read two or three times: only its end says what it holds, and only a proved one is converted.
 */
import type { ArchiveSource, Input, Output } from '../../model/archive-stream.js';
import { Findings } from '../../archive/verify/findings.js';
import { JournalFold } from '../../archive/read/journal-fold.js';
import type { NumberedEntries, TableRules } from '../../archive/write/numbered-entries.js';
import { ArchiveReader, type ArchiveItem } from '../../archive/read/reader.js';
import { emptyChecksum } from '../../archive/entries/running-checksum.js';
import { CertificateSet, keptCertificate, type CertificateFile } from '../../archive/entries/certificates.js';
import { ArchiveWriter } from '../../archive/write/writer.js';
import { abortable } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Manifest, ManifestTable } from '../../model/manifest.js';
import { ArchiveChecksum, hasChanged, surveyArchive } from '../restore/archive-survey.js';
import { qualifiedName } from '../../model/table.js';
import { convertedManifest, planConversion, type ConversionPlan, type ConversionWishes } from './conversion-plan.js';
import { formatCount } from '../../base/format.js';
import { ReadingProgress } from '../reading-progress.js';
import type { JobContext } from '../job-context.js';

export interface ConvertOptions extends ConversionWishes {
  readonly tool: Manifest['tool'];
}

/**
 * Resolves when the output has taken the last byte of the new archive and committed it. Throws a JobError, with exit
 * code 9 for an archive that is not whole: nothing has been written then.
 */
export async function convert(
  options: ConvertOptions,
  source: ArchiveSource,
  openOutput: (manifest: Manifest) => Promise<Output>,
  context: JobContext,
): Promise<void> {
  const { root, manifest, sha256 } = await verifyArchive(source, context);
  const plan = planConversion(manifest, options);
  await using output = await openOutput(manifest);
  const write = async (): Promise<ManifestTable[]> => {
    using fold = new JournalFold(plan.changeCount, context.temporaryDirectory);
    const verifiedArchive = { source, sha256, context };
    if (plan.changeCount > 0) await takeJournals(verifiedArchive, plan, fold);
    const writer = await ArchiveWriter.open(output, root, new Date(manifest.startedAt));
    const { tables, certificates } = await writeTables(verifiedArchive, writer, { plan, fold });
    const by = { tool: options.tool, convertedAt: context.clock.now() };
    await writer.finish(convertedManifest(plan, tables, by), certificates);
    await output.commit();
    return tables;
  };
  // What does not hear of an abort must not keep the .part.
  const tables = await abortable(write(), context.signal);
  context.log.info(`Conversion complete: ${describe(plan, tables)} written to ${output.name}`);
}

/** An archive that was verified, to be read again. */
interface VerifiedArchive {
  readonly source: ArchiveSource;
  /** Of all bytes of the tar that was verified. */
  readonly sha256: string;
  readonly context: JobContext;
}

async function verifyArchive(
  source: ArchiveSource,
  context: JobContext,
): Promise<{ root: string; manifest: Manifest; sha256: string }> {
  await using input = await source.open();
  context.log.info(`Verifying ${input.name}`);
  const { root, manifest, sha256 } = await surveyArchive(input, { isVerified: true, allowUnproven: true }, context);
  if (manifest !== undefined) return { root, manifest, sha256 };
  const why = 'nothing proves what it holds, nor names its databases and primary keys';
  throw new JobError(ExitCode.archiveInvalid, `${input.name} has no manifest and cannot be converted: ${why}`);
}

async function takeJournals(
  verifiedArchive: VerifiedArchive,
  { kept, changeCount }: ConversionPlan,
  fold: JournalFold,
): Promise<void> {
  await using input = await verifiedArchive.source.open();
  verifiedArchive.context.log.info(`Reading ${formatCount(changeCount)} changes of ${input.name}`);
  for await (const item of read(input, verifiedArchive)) {
    if (item.kind !== 'changes') continue;
    const table = kept.get(item.table);
    if (table !== undefined) fold.addChanges(item, table.primaryKey);
  }
}

/** Gives the tables as they have been written, and the certificate files that are to follow. */
async function writeTables(
  verifiedArchive: VerifiedArchive,
  writer: ArchiveWriter,
  { plan, fold }: { readonly plan: ConversionPlan; readonly fold: JournalFold },
): Promise<{ tables: ManifestTable[]; certificates: CertificateSet }> {
  await using input = await verifiedArchive.source.open();
  verifiedArchive.context.log.info(`Converting ${input.name}`);
  const files: CertificateFile[] = [];
  const written: ManifestTable[] = [];
  let open: { readonly table: ManifestTable; readonly entries: NumberedEntries } | undefined;
  const endTable = async (): Promise<void> => {
    if (open === undefined) return;
    for (const lines of fold.added(open.table.name)) await open.entries.add(lines);
    written.push({ ...open.table, documents: open.entries.finish(), changes: emptyChecksum });
  };
  for await (const item of read(input, verifiedArchive)) {
    if (item.kind === 'table') {
      await endTable();
      const table = plan.kept.get(item.table);
      open = table && { table, entries: await writer.table(table.name, rulesOf(table, plan)) };
    } else if (item.kind === 'documents') {
      await open?.entries.add(fold.rows(item, open.table.primaryKey));
    } else if (item.kind === 'certificate') files.push(keptCertificate(item));
  }
  await endTable();
  return { tables: written, certificates: new CertificateSet(files, ExitCode.archiveInvalid) };
}

function rulesOf(table: ManifestTable, { manifest, documentEncoding }: ConversionPlan): TableRules {
  return {
    label: qualifiedName(table),
    primaryKey: table.primaryKey,
    sourceEncoding: manifest.documentEncoding,
    documentEncoding,
    isOrdered: manifest.consistency === 'scan',
    exitCode: ExitCode.archiveInvalid,
  };
}

/**
 * Reads an archive that was verified before: it is not judged again, but every byte of it must be the same. Throws a
 * JobError with exit code 9 at its end where it is not.
 */
async function* read(input: Input, { sha256, context }: VerifiedArchive): AsyncGenerator<ArchiveItem, void, undefined> {
  const findings = new Findings();
  const checksum = new ArchiveChecksum();
  const reader = new ArchiveReader(checksum.over(input.chunks), findings);
  const progress = new ReadingProgress(input.sizeBytes, context);
  for await (const item of reader.items()) {
    yield item;
    progress.advance(reader.position);
  }
  if (findings.count(true) > 0 || checksum.digest() !== sha256) throw hasChanged(input);
}

function describe({ changeCount, dropped }: ConversionPlan, tables: readonly ManifestTable[]): string {
  const count = tables.reduce((sum, { documents }) => sum + documents.count, 0);
  return [
    `${formatCount(count)} documents in ${tables.length} tables`,
    ...(changeCount > 0 ? [`${formatCount(changeCount)} changes folded in`] : []),
    ...(dropped.length > 0 ? [`${dropped.length} tables dropped`] : []),
  ].join(', ');
}
