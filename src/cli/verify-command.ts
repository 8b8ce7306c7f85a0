/** `verify`: from the settings to the job, and from its verdict to the exit code. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { readSettings, rejectFaults } from '../config/reader.js';
import { verifySettings } from '../config/settings.js';
import { verify } from '../jobs/verify.js';
import { openArchive } from './archive-input.js';
import type { CommandRun } from './surroundings.js';
import { verifyReport } from './verify-report.js';

export async function runVerify(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const { values, faults: settingFaults } = readSettings(verifySettings, { ...surroundings, flags });
  rejectFaults([...faults, ...settingFaults]);
  await using input = await openArchive(call);
  const verdict = await verify(input, world);
  await surroundings.print(verifyReport(verdict, values.json));
  const findings = verdict.findingCount === 1 ? '1 finding' : `${verdict.findingCount} findings`;
  if (verdict.state === 'invalid') throw new JobError(ExitCode.archiveInvalid, `${input.name} is invalid: ${findings}`);
  if (verdict.state === 'whole') return;
  const unproven = `${input.name} has no manifest: completeness cannot be proved`;
  if (!values.allowUnproven) throw new JobError(ExitCode.archiveInvalid, `${unproven} (--allow-unproven accepts it)`);
  world.log.warn(unproven);
}
