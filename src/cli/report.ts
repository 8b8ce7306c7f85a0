/** Reports on stdout: one that is lost fails the run, as an archive that is lost does. */
import { outputError } from '../store/output.js';
import { JobError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { printableLines } from '../base/printable.js';
import type { ProcessContext } from './process-context.js';

/**
 * Resolves when the report has been taken. Names out of archives are made printable, as in the log; a JSON report stays the
 * same JSON. Throws a JobError with exit code 8.
 */
export async function printReport({ stdout }: Pick<ProcessContext, 'stdout'>, text: string): Promise<void> {
  const sink = stdout.open('report');
  try {
    await sink.write(Buffer.from(printableLines(text)));
    await sink.commit();
  } catch (error) {
    throw outputError('stdout', error, 'the report');
  }
}

/** The same for the report of a run that failed: `failure` is thrown, and outweighs the loss of the report. */
export async function printFailure(
  processContext: Pick<ProcessContext, 'stdout'>,
  text: string,
  { failure, log }: { readonly failure: unknown; readonly log: Log },
): Promise<never> {
  try {
    await printReport(processContext, text);
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    log.error(error.message);
  }
  throw failure;
}
