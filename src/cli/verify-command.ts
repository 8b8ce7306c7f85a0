/** `verify`: from the settings to the job, and from its verdict to the exit code. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { readSettings, rejectFaults } from '../config/reader.js';
import { keyNames } from '../config/settings.js';
import { decryptionKeys } from '../config/wrapping.js';
import { verify } from '../jobs/verify.js';
import { archiveFileHelp, openArchive } from './archive-input.js';
import type { Command, CommandRun } from './surroundings.js';
import { verifyReport } from './verify-report.js';

const settings = [...keyNames, 'json', 'allowUnproven'] as const;

export const verifyCommand: Command = {
  name: 'verify',
  help: 'prove an archive whole and unaltered; the exit code is the verdict',
  settings,
  file: archiveFileHelp,
  run: runVerify,
};

async function runVerify(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const { values, faults: settingFaults } = readSettings(settings, { ...surroundings, flags });
  rejectFaults([...faults, ...settingFaults]);
  await using input = await openArchive(call, decryptionKeys(values));
  const verdict = await verify(input, world);
  await surroundings.print(verifyReport(verdict, values.json));
  const findings = verdict.findingCount === 1 ? '1 finding' : `${verdict.findingCount} findings`;
  const hint = input.hint?.();
  const reason = hint === undefined ? findings : `${findings}; ${hint}`;
  if (verdict.state === 'invalid') throw new JobError(ExitCode.archiveInvalid, `${input.name} is invalid: ${reason}`);
  if (verdict.state === 'whole') return;
  const unproven = `${input.name} has no manifest: completeness cannot be proved`;
  if (!values.allowUnproven) throw new JobError(ExitCode.archiveInvalid, `${unproven} (--allow-unproven accepts it)`);
  world.log.warn(unproven);
}
