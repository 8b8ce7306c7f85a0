/** `convert`: from the settings to the job. */
import { unwrappedSource } from '../archive/envelope/envelope.js';
import { convert } from '../jobs/convert/convert.js';
import type { Plan } from '../model/manifest.js';
import { rejectFaults } from '../settings/reader.js';
import { resolveOutput } from '../settings/resolve.js';
import { rereadSource } from '../store/archive-source.js';
import { prepareOutput } from './archive-output.js';
import type { RunCommand } from './commands.js';
import { openArchiveAt } from './places.js';

export const runConvert: RunCommand<'convert'> = async (read, run) => {
  const { values } = read;
  const settings = resolveOutput(read, { opensInput: true });
  rejectFaults(read.faults);
  await using output = await prepareOutput({ settings, values, isDryRun: false, holdsKeys: true }, run);
  await using source = unwrappedSource(
    rereadSource(() => openArchiveAt(run.file ?? '-', values, run), run.context),
    settings.keys,
  );
  const options = {
    documentEncoding: values.convertedEncoding,
    drop: values.dropTable,
    tool: run.processContext.tool,
    destination: {
      open: ({ dtrVersion, replicaId, startedAt }: Plan) =>
        output.open({ version: dtrVersion, replica: replicaId, date: new Date(startedAt) }),
      committed: output.committed,
    },
  };
  await convert(options, source, run.context);
};
