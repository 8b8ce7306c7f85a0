/** `inspect`: from the settings to the job, and its report. */
import { withHint } from '../archive/io/damage-hint.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { readSettings, rejectFaults } from '../config/reader.js';
import { decryptionKeys } from '../config/wrapping.js';
import { inspect } from '../jobs/inspect.js';
import { openArchive } from './archive-input.js';
import { inspectNames } from './setting-names.js';
import { inspectReport } from './inspect-report.js';
import { printFailure, printReport } from './report.js';
import type { CommandRun } from './surroundings.js';

export async function runInspect(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const { values, faults: settingFaults } = readSettings(inspectNames, { ...surroundings, flags });
  rejectFaults([...faults, ...settingFaults]);
  surroundings.stdout.open('report');
  await using input = await openArchive(call, decryptionKeys(values));
  const inspection = await inspect(input, world);
  const report = inspectReport(inspection, values.json);
  if (inspection.findings.length === 0) {
    await printReport(surroundings, report);
    return;
  }
  const message = `${input.name} is not a sound archive: verify says what is wrong with it`;
  const failure = new JobError(ExitCode.archiveInvalid, withHint(message, input));
  await printFailure(surroundings, report, { failure, log: world.log });
}
