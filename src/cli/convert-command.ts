/** `convert`: from the settings to the job. */
import { rereadSource, unwrappedSource } from '../archive/io/archive-source.js';
import { prepareWrapping } from '../archive/wrapping/wrapping.js';
import { readSettings, rejectFaults } from '../config/reader.js';
import { decryptionKeys, resolveWrapping } from '../config/wrapping.js';
import { convert } from '../jobs/convert.js';
import type { Manifest } from '../model/manifest.js';
import { openInput } from './archive-input.js';
import { assertOutput, openArchiveOutput, outputFaults, remindOfKeys } from './archive-output.js';
import { convertNames } from './setting-names.js';
import type { CommandRun } from './surroundings.js';

export async function runConvert(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const read = readSettings(convertNames, { ...surroundings, flags });
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
  const raw = rereadSource(() => openInput(call), world);
  await using source = unwrappedSource(raw, decryptionKeys(values));
  await convert({ documentEncoding, drop, tool: surroundings.tool }, source, openOutput, world);
}
