/** `convert`: from the settings to the job. */
import { rereadSource, unwrappedSource } from '../archive/io/archive-source.js';
import { prepareWrapping } from '../archive/wrapping/wrapping.js';
import { readSettings, rejectFaults } from '../config/reader.js';
import { keyNames, namesOf, wrappingNames } from '../config/settings.js';
import { conversionSettings } from '../config/settings/conversion.js';
import { outputSettings } from '../config/settings/output.js';
import { decryptionKeys, resolveWrapping } from '../config/wrapping.js';
import { convert } from '../jobs/convert.js';
import type { Manifest } from '../model/manifest.js';
import { archiveFileHelp, openInput } from './archive-input.js';
import { assertOutput, openArchiveOutput, outputFaults, remindOfKeys } from './archive-output.js';
import type { Command, CommandRun } from './surroundings.js';

const settings = [...namesOf(conversionSettings), ...namesOf(outputSettings), ...wrappingNames, ...keyNames] as const;

export const convertCommand: Command = {
  name: 'convert',
  help: 'rewrite an archive: changes folded into the rows, another document encoding, fewer tables',
  settings,
  file: archiveFileHelp,
  run: runConvert,
};

async function runConvert(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const read = readSettings(settings, { ...surroundings, flags });
  const { values } = read;
  read.faults.unshift(...faults);
  read.faults.push(...outputFaults(values));
  const wrapping = resolveWrapping(read, { opensInput: true });
  rejectFaults(read.faults);
  await assertOutput(values, call);
  const prepared = await prepareWrapping(wrapping);
  const openOutput = async ({ dtrVersion, replicaId, startedAt }: Manifest) => {
    const about = { version: dtrVersion, replica: replicaId, date: new Date(startedAt) };
    remindOfKeys(prepared, call);
    return openArchiveOutput(values, about, prepared, call);
  };
  const { convertedEncoding: documentEncoding, dropTable: drop } = values;
  const raw = rereadSource(() => openInput(call), world.signal);
  await using source = unwrappedSource(raw, decryptionKeys(values));
  await convert({ documentEncoding, drop, tool: surroundings.tool }, source, openOutput, world);
}
