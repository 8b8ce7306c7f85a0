/** `inspect`: from the settings to the job, and its report. */
import { withHint } from '../archive/damaged-input.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { readSettings, rejectFaults } from '../settings/reader.js';
import { decryptionKeys } from '../settings/envelope-keys.js';
import { inspect } from '../jobs/inspect.js';
import { openArchive } from './archive-input.js';
import { inspectNames } from './setting-names.js';
import { inspectReport } from './inspect-report.js';
import { printFailure, printReport } from './report.js';
import type { CommandRun } from './process-context.js';

export async function runInspect(call: CommandRun): Promise<void> {
  const { processContext, flags, faults, context } = call;
  const { values, faults: settingFaults } = readSettings(inspectNames, { ...processContext, flags });
  rejectFaults([...faults, ...settingFaults]);
  processContext.stdout.open('report');
  await using input = await openArchive(call, decryptionKeys(values));
  const inspection = await inspect(input, context);
  const report = inspectReport(inspection, values.json);
  if (inspection.findings.length === 0) {
    await printReport(processContext, report);
    return;
  }
  const message = `${input.name} is not a sound archive: verify says what is wrong with it`;
  const failure = new JobError(ExitCode.archiveInvalid, withHint(message, input));
  await printFailure(processContext, report, { failure, log: context.log });
}
