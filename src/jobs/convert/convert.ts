/**
 * The convert job, top to bottom: verify the archive, plan, take its journals, write it anew. The archive is read two or
 * three times: only one that is whole is converted, and changes must be known before the rows that they change.
 */
import { isDeepStrictEqual } from 'node:util';
import { CertificateSet, keptCertificate, type CertificateFile } from '../../archive/entries/certificates.js';
import { metadataFacts } from '../../archive/facts.js';
import { JournalFold } from '../../archive/read/journal-fold.js';
import type { ArchiveItem } from '../../archive/read/reader.js';
import { Findings } from '../../archive/verify/findings.js';
import type { NumberedEntries } from '../../archive/write/numbered-entries.js';
import { ArchiveWriter } from '../../archive/write/writer.js';
import { abortable } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { formatCount } from '../../base/format.js';
import type { ArchiveSource, Destination, Output } from '../../model/archive-stream.js';
import type { Plan, PlannedTable } from '../../model/manifest.js';
import type { ArchiveFacts } from '../../model/summary.js';
import { assertUnchanged, changedError, openMetadata } from '../archive-reading.js';
import { surveyArchive, type Survey } from '../archive-survey.js';
import type { JobContext } from '../job-context.js';
import { planConversion, type ConversionOptions, type ConversionPlan } from './conversion-plan.js';

/**
 * Resolves when the output has taken the last byte of the new archive and committed it. Throws a JobError, with exit
 * code 9 for an archive that is not whole: nothing has been written then.
 */
export async function convert(
  options: ConversionOptions & { readonly destination: Destination<Plan> },
  source: ArchiveSource,
  context: JobContext,
): Promise<void> {
  const { own, sha256 } = await verifyArchive(source, context);
  const plan = planConversion(own, options);
  await using output = await options.destination.open(plan.source);
  const conversion = new ArchiveConversion(plan, { source, sha256, context });
  // A step that does not notice an abort must not keep the .part.
  const { documentCount, facts } = await abortable(conversion.writeTo(output), context.signal);
  context.log.info(`Conversion complete: ${describe(plan, documentCount)} written to ${output.name}`);
  await abortable(options.destination.committed(facts), context.signal);
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
): Promise<{ readonly own: NonNullable<Survey['own']>; readonly sha256: string }> {
  await using input = await source.open();
  context.log.info(`Verifying ${input.name}`);
  const { own, sha256 } = await surveyArchive(input, { isVerified: true, allowUnproven: true }, context);
  if (own !== undefined) return { own, sha256 };
  const why = 'its databases, primary keys and completeness are unknown';
  throw new JobError(ExitCode.archiveInvalid, `${input.name} has no manifest and cannot be converted: ${why}`);
}

class ArchiveConversion {
  readonly #plan: ConversionPlan;
  readonly #archive: VerifiedArchive;

  constructor(plan: ConversionPlan, archive: VerifiedArchive) {
    this.#plan = plan;
    this.#archive = archive;
  }

  /** Gives the number of documents, and what the archive holds, when the output has committed it. */
  async writeTo(output: Output): Promise<{ readonly documentCount: number; readonly facts: ArchiveFacts }> {
    const { source, target, finishedAt, changeCount, cuts, conversions } = this.#plan;
    const { temporaryDirectory, clock } = this.#archive.context;
    using fold = new JournalFold(changeCount, temporaryDirectory);
    if (changeCount > 0) await this.#takeJournals(fold);
    const origin = { encoding: source.documentEncoding, exitCode: ExitCode.archiveInvalid };
    const writer = await ArchiveWriter.open(output, target, origin);
    const { documentCount, certificates } = await this.#writeTables(writer, fold);
    const end = { finishedAt, certificates, cuts, conversions: conversions(clock.now()) };
    const manifest = await writer.finish(end);
    await output.commit();
    return { documentCount, facts: metadataFacts(target, manifest, certificates.files) };
  }

  async #takeJournals(fold: JournalFold): Promise<void> {
    const { tables, changeCount } = this.#plan;
    for await (const item of this.#read(`Reading ${formatCount(changeCount)} changes of`)) {
      const table = item.kind === 'changes' ? tables.get(item.directory) : undefined;
      if (item.kind === 'changes' && table !== undefined) fold.addChanges(item, table.primaryKey);
    }
  }

  async #writeTables(
    writer: ArchiveWriter,
    fold: JournalFold,
  ): Promise<{ documentCount: number; certificates: CertificateSet }> {
    const files: CertificateFile[] = [];
    let documentCount = 0;
    let open: { readonly table: PlannedTable; readonly documents: NumberedEntries } | undefined;
    const endTable = async (): Promise<void> => {
      if (open === undefined) return;
      for (const lines of fold.added(open.table.directory)) await open.documents.add(lines);
      documentCount += open.documents.added.count;
    };
    for await (const item of this.#read('Converting')) {
      if (item.kind === 'table') {
        await endTable();
        const table = this.#plan.tables.get(item.directory);
        open = table && { table, documents: (await writer.table(table)).documents };
      } else if (item.kind === 'documents') {
        await open?.documents.add(fold.rows(item, open.table.primaryKey));
      } else if (item.kind === 'certificate') files.push(keptCertificate(item));
    }
    await endTable();
    return { documentCount, certificates: new CertificateSet(files, ExitCode.archiveInvalid) };
  }

  /** Not judged again, but every byte must be the same. Throws a JobError with exit code 9 at the end where it is not. */
  async *#read(doing: string): AsyncGenerator<ArchiveItem, void, undefined> {
    const { source, sha256, context } = this.#archive;
    await using input = await source.open();
    context.log.info(`${doing} ${input.name}`);
    const findings = new Findings();
    const reading = await openMetadata(input, findings, context);
    for await (const item of reading.items) {
      const isSamePlan = item.kind !== 'plan' || isDeepStrictEqual(item.plan, this.#plan.source);
      if (findings.count > 0 || !isSamePlan) throw changedError(input);
      yield item;
    }
    assertUnchanged(input, reading, sha256);
  }
}

function describe({ changeCount, droppedTables, tables }: ConversionPlan, documentCount: number): string {
  return [
    `${formatCount(documentCount)} documents in ${tables.size} tables`,
    ...(changeCount > 0 ? [`${formatCount(changeCount)} changes folded in`] : []),
    ...(droppedTables.length > 0 ? [`${droppedTables.length} tables dropped`] : []),
  ].join(', ');
}
