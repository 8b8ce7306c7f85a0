/** Commands that read one archive and print a report on stdout: one that is lost fails the run. */
import { unwrapInput } from '../archive/envelope/envelope.js';
import { JobError } from '../base/errors.js';
import type { Input } from '../model/archive-stream.js';
import { rejectFaults, type ReadSettings } from '../settings/reader.js';
import { decryptionKeys } from '../settings/resolve.js';
import type { KeyName, StoreName } from '../settings/settings.js';
import { print } from '../store/standard-output.js';
import type { CommandRun } from './commands.js';
import { openArchiveAt } from './places.js';

export interface Report {
  readonly text: string;
  /** Its error is thrown after the report. */
  readonly failure: { readonly error: unknown } | undefined;
}

/** Prints the report that `judge` makes of the archive, decrypted and decompressed. */
export async function reportOnArchive(
  { values, faults }: ReadSettings<KeyName | StoreName>,
  run: CommandRun,
  judge: (input: Input) => Promise<Report>,
): Promise<void> {
  rejectFaults(faults);
  run.processContext.stdout.open('report');
  await using input = await unwrapInput(await openArchiveAt(run.file ?? '-', values, run), decryptionKeys(values));
  await printReport(await judge(input), run);
}

/** Throws the failure of the report, if there is one, and otherwise a JobError with exit code 8 for a lost report. */
export async function printReport({ text, failure }: Report, { processContext, context }: CommandRun): Promise<void> {
  try {
    await print(processContext.stdout, text);
  } catch (error) {
    if (failure === undefined || !(error instanceof JobError)) throw error;
    context.log.error(error.message);
  }
  if (failure !== undefined) throw failure.error;
}
