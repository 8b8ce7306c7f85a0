/** `backup`: from the settings to the job. */
import { prepareWrapping } from '../archive/envelope/envelope.js';
import { resolveAccess } from '../settings/replica-access.js';
import { readSettings, rejectFaults, type ReadSettings } from '../settings/reader.js';
import { resolveWrapping } from '../settings/envelope-keys.js';
import { backup, type OpenOutput } from '../jobs/backup/backup.js';
import { assertOutput, openArchiveOutput, outputFaults, remindOfKeys } from './archive-output.js';
import { backupNames } from './setting-names.js';
import type { CommandRun } from './process-context.js';

export async function runBackup(call: CommandRun): Promise<void> {
  const { processContext, flags, faults, context } = call;
  const read = readSettings(backupNames, { ...processContext, flags });
  read.faults.unshift(...faults);
  const { values } = read;
  read.faults.push(...contradictions(read));
  const wrapping = resolveWrapping(read, { opensInput: false });
  const access = resolveAccess(read);
  rejectFaults(read.faults);
  if (access === undefined) throw new TypeError('no fault and yet no access');
  if (!values.dryRun) await assertOutput(values, call);

  const prepared = await prepareWrapping(wrapping);

  const openOutput: OpenOutput = async ({ replica, startedAt }) => {
    const about = { version: replica.dtrVersion, replica: replica.id, date: startedAt };
    remindOfKeys(prepared, call);
    return openArchiveOutput(values, about, prepared, call);
  };
  const options = {
    access,
    selection: {
      include: values.includeTable,
      exclude: values.excludeTable,
      ignoreEventsTable: values.ignoreEventsTable,
      ignoreScanData: values.ignoreScanData,
    },
    withCertificates: values.certificates,
    documentEncoding: values.documentEncoding,
    rateLimit: values.rateLimit,
    ...(values.consistency !== undefined && { consistency: values.consistency }),
    settleMs: values.settleTime,
    queueSize: values.changefeedQueueSize,
    mode: values.offlineBackup ? ('offline' as const) : ('online' as const),
    stopWindowMs: access.connectWindowMs,
    startWindowMs: values.startTimeout,
    dryRun: values.dryRun,
    tool: processContext.tool,
  };
  await backup(options, openOutput, context);
}

/** Settings that do not go together. */
function contradictions({ values, given }: ReadSettings<(typeof backupNames)[number]>): string[] {
  const faults = outputFaults(values);
  if (values.offlineBackup && values.ignoreEventsTable) {
    faults.push('--ignore-events-table is for online backups, not for --offline-backup');
  }
  if (values.offlineBackup && given.has('rethinkdbAddr') && !given.has('ucpUrl')) {
    faults.push('--offline-backup needs UCP (--ucp-url), which stops and starts the containers of the replica');
  }
  return faults;
}
