/** `backup`: from the settings to the job. */
import { backup, type BackupDestination } from '../jobs/backup/backup.js';
import { resolveAccess, resolveOutput } from '../settings/resolve.js';
import { prepareOutput } from './archive-output.js';
import type { RunCommand } from './commands.js';

export const runBackup: RunCommand<'backup'> = async (read, run) => {
  const { values, faults } = read;
  if (values.offlineBackup && values.ignoreEventsTable) {
    faults.push('--ignore-events-table is for online backups, not for --offline-backup');
  }
  const settings = resolveOutput(read, { opensInput: false });
  const stopsContainers =
    '--offline-backup needs UCP (--ucp-url), which stops and starts the containers of the replica';
  const access = resolveAccess(read, { needsVersion: true, needsUcp: values.offlineBackup && stopsContainers });
  await using output = await prepareOutput({ settings, values, isDryRun: values.dryRun, holdsKeys: true }, run);
  const destination: BackupDestination = {
    open: ({ replica, startedAt }) =>
      output.open({ version: replica.dtrVersion, replica: replica.id, date: startedAt }),
    committed: output.committed,
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
    consistency: values.consistency,
    settleMs: values.settleTime,
    queueSize: values.changefeedQueueSize,
    mode: values.offlineBackup ? ('offline' as const) : ('online' as const),
    stopWindowMs: access.connectWindowMs,
    startWindowMs: values.startTimeout,
    dryRun: values.dryRun,
    tool: run.processContext.tool,
  };
  await backup(options, destination, run.context);
};
