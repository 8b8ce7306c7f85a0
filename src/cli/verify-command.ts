/** `verify`: from the settings to the job, and from its verdict to the exit code. */
import { withHint } from '../archive/damaged-input.js';
import type { Input } from '../model/archive-stream.js';
import type { Verdict } from '../archive/verify/verifier.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { readSettings, rejectFaults } from '../settings/reader.js';
import { decryptionKeys } from '../settings/envelope-keys.js';
import { verify } from '../jobs/verify.js';
import { openArchive } from './archive-input.js';
import { verifyNames } from './setting-names.js';
import { printFailure, printReport } from './report.js';
import type { CommandRun } from './process-context.js';
import { verifyReport } from './verify-report.js';

export async function runVerify(call: CommandRun): Promise<void> {
  const { processContext, flags, faults, context } = call;
  const { values, faults: settingFaults } = readSettings(verifyNames, { ...processContext, flags });
  rejectFaults([...faults, ...settingFaults]);
  processContext.stdout.open('report');
  await using input = await openArchive(call, decryptionKeys(values));
  const verdict = await verify(input, context);
  const report = verifyReport(verdict, values.json);
  const failure = failureOf(verdict, input, values.allowUnproven);
  if (failure !== undefined) await printFailure(processContext, report, { failure, log: context.log });
  await printReport(processContext, report);
  if (verdict.state === 'unproven') context.log.warn(unproven(input.name));
}

function failureOf(
  { state, findingCount }: { readonly state: Verdict['state']; readonly findingCount: number },
  input: Input,
  allowUnproven: boolean,
): JobError | undefined {
  if (state === 'whole' || (state === 'unproven' && allowUnproven)) return undefined;
  const findings = findingCount === 1 ? '1 finding' : `${findingCount} findings`;
  const { name } = input;
  const message =
    state === 'invalid'
      ? withHint(`${name} is invalid: ${findings}`, input)
      : `${unproven(name)} (--allow-unproven accepts it)`;
  return new JobError(ExitCode.archiveInvalid, message);
}

function unproven(name: string): string {
  return `${name} has no manifest: completeness cannot be verified`;
}
