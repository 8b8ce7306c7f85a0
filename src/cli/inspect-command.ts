/** `inspect`: from the settings to the job. */
import { withHint } from '../archive/damaged-input.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { inspect } from '../jobs/inspect.js';
import { reportOnArchive } from './archive-report.js';
import type { RunCommand } from './commands.js';
import { inspectReport } from './inspect-report.js';

export const runInspect: RunCommand<'inspect'> = (read, run) =>
  reportOnArchive(read, run, async (input) => {
    const inspection = await inspect(input, run.context);
    const message = withHint(`${input.name} is not a sound archive: verify says what is wrong with it`, input);
    const isSound = inspection.findings.length === 0;
    const failure = isSound ? undefined : { error: new JobError(ExitCode.archiveInvalid, message) };
    return { text: inspectReport(inspection, read.values.json), failure };
  });
