/** `convert`: from the settings to the job. */
import { rereadSource } from '../store/archive-source.js';
import { prepareWrapping, unwrappedSource } from '../archive/envelope/envelope.js';
import { readSettings, rejectFaults } from '../settings/reader.js';
import { decryptionKeys, resolveWrapping } from '../settings/envelope-keys.js';
import { convert } from '../jobs/convert/convert.js';
import type { Plan } from '../model/manifest.js';
import { openInput } from './archive-input.js';
import { assertOutput, openArchiveOutput, outputFaults, remindOfKeys } from './archive-output.js';
import { convertNames } from './setting-names.js';
import type { CommandRun } from './process-context.js';

export async function runConvert(call: CommandRun): Promise<void> {
  const { processContext, flags, faults, context } = call;
  const read = readSettings(convertNames, { ...processContext, flags });
  const { values } = read;
  read.faults.unshift(...faults);
  read.faults.push(...outputFaults(values));
  const wrapping = resolveWrapping(read, { opensInput: true });
  rejectFaults(read.faults);
  await assertOutput(values, call);
  const prepared = await prepareWrapping(wrapping);
  const openOutput = async ({ dtrVersion, replicaId, startedAt }: Plan) => {
    const about = { version: dtrVersion, replica: replicaId, date: new Date(startedAt) };
    remindOfKeys(prepared, call);
    return openArchiveOutput(values, about, prepared, call);
  };
  const { convertedEncoding: documentEncoding, dropTable: drop } = values;
  const raw = rereadSource(() => openInput(call), context);
  await using source = unwrappedSource(raw, decryptionKeys(values));
  await convert({ documentEncoding, drop, tool: processContext.tool, openOutput }, source, context);
}
