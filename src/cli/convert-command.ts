/** `convert`: from the settings to the job. */
import { unwrappedSource } from '../archive/envelope/envelope.js';
import { convert } from '../jobs/convert/convert.js';
import type { Plan } from '../model/manifest.js';
import { rejectFaults } from '../settings/reader.js';
import { resolveOutput } from '../settings/resolve.js';
import { rereadSource } from '../store/archive-source.js';
import { prepareOutput } from './archive-output.js';
import { openArchive } from './archive-report.js';
import type { RunCommand } from './commands.js';

export const runConvert: RunCommand<'convert'> = async (read, run) => {
  const output = resolveOutput(read, { opensInput: true });
  rejectFaults(read.faults);
  const openOutput = await prepareOutput(output, { isDryRun: false, holdsKeys: true }, run);
  await using source = unwrappedSource(
    rereadSource(() => openArchive(run), run.context),
    output.keys,
  );
  const options = {
    documentEncoding: read.values.convertedEncoding,
    drop: read.values.dropTable,
    tool: run.processContext.tool,
    openOutput: ({ dtrVersion, replicaId, startedAt }: Plan) =>
      openOutput({ version: dtrVersion, replica: replicaId, date: new Date(startedAt) }),
  };
  await convert(options, source, run.context);
};
