/** `verify`: from the settings to the job, and from its verdict to the exit code. */
import { withHint } from '../archive/damaged-input.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { verify } from '../jobs/verify.js';
import { reportOnArchive } from './archive-report.js';
import type { RunCommand } from './commands.js';
import { verifyReport } from './verify-report.js';

export const runVerify: RunCommand<'verify'> = (read, run) =>
  reportOnArchive(read, run, async (input) => {
    const { json, allowUnproven } = read.values;
    const verdict = await verify(input, run.context);
    const { state, findingCount } = verdict;
    const findings = findingCount === 1 ? '1 finding' : `${findingCount} findings`;
    const unproven = `${input.name} has no manifest: completeness cannot be verified`;
    if (state === 'unproven' && allowUnproven) run.context.log.warn(unproven);
    const messages = {
      whole: undefined,
      unproven: allowUnproven ? undefined : `${unproven} (--allow-unproven accepts it)`,
      invalid: withHint(`${input.name} is invalid: ${findings}`, input),
    };
    const message = messages[state];
    const failure = message === undefined ? undefined : { error: new JobError(ExitCode.archiveInvalid, message) };
    return { text: verifyReport(verdict, json), failure };
  });
