/** `convert`: from the settings to the job. */
import { reopenedSource } from '../archive/archive-source.js';
import { readSettings, rejectFaults } from '../config/reader.js';
import { namesOf } from '../config/settings.js';
import { conversionSettings } from '../config/settings/conversion.js';
import { outputSettings } from '../config/settings/output.js';
import { convert } from '../jobs/convert.js';
import type { Manifest } from '../model/manifest.js';
import { archiveFileHelp, openArchive } from './archive-input.js';
import { openArchiveOutput, outputFaults, refuseTerminal } from './archive-output.js';
import type { Command, CommandRun } from './surroundings.js';

const settings = [...namesOf(conversionSettings), ...namesOf(outputSettings)] as const;

export const convertCommand: Command = {
  name: 'convert',
  help: 'rewrite an archive: changes folded into the rows, another document encoding, fewer tables',
  settings,
  file: archiveFileHelp,
  run: runConvert,
};

async function runConvert(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const { values, faults: settingFaults } = readSettings(settings, { ...surroundings, flags });
  rejectFaults([...faults, ...settingFaults, ...outputFaults(values)]);
  refuseTerminal(values, call);
  const openOutput = async ({ dtrVersion, replicaId, startedAt }: Manifest) => {
    return openArchiveOutput(values, { version: dtrVersion, replica: replicaId, date: new Date(startedAt) }, call);
  };
  const { convertedEncoding: documentEncoding, dropTable: drop } = values;
  await using source = reopenedSource(() => openArchive(call), world.signal);
  await convert({ documentEncoding, drop, tool: surroundings.tool }, source, openOutput, world);
}
