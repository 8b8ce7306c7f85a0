/** `backup`: from the settings to the job. */
import { prepareWrapping } from '../archive/wrapping/wrapping.js';
import { resolveAccess } from '../config/access.js';
import { readSettings, rejectFaults, type ReadSettings } from '../config/reader.js';
import { accessNames, keyNames, namesOf, wrappingNames } from '../config/settings.js';
import { contentSettings } from '../config/settings/content.js';
import { offlineSettings } from '../config/settings/offline.js';
import { outputSettings } from '../config/settings/output.js';
import { resolveWrapping } from '../config/wrapping.js';
import type { OpenOutput } from '../jobs/backup.js';
import { assertOutput, openArchiveOutput, outputFaults, remindOfKeys } from './archive-output.js';
import type { Command, CommandRun } from './surroundings.js';

const settings = [
  ...accessNames,
  ...namesOf(contentSettings),
  ...namesOf(offlineSettings),
  ...namesOf(outputSettings),
  ...wrappingNames,
  ...keyNames,
  'dryRun',
] as const;

export const backupCommand: Command = {
  name: 'backup',
  help: 'write the metadata of a DTR replica to stdout as one tar',
  settings,
  run: runBackup,
};

/** Loaded when it is called for: with the ways to RethinkDB and UCP it takes as long as all the rest. */
const loadJob = () => import('../jobs/backup.js');

async function runBackup(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const read = readSettings(settings, { ...surroundings, flags });
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
    tool: surroundings.tool,
  };
  const { backup } = await loadJob();
  await backup(options, openOutput, world);
}

/** Settings that do not go together. */
function contradictions({ values, given }: ReadSettings<(typeof settings)[number]>): string[] {
  const faults = outputFaults(values);
  if (values.offlineBackup && values.ignoreEventsTable) {
    faults.push('--ignore-events-table is for online backups, not for --offline-backup');
  }
  if (values.offlineBackup && given.has('rethinkdbAddr') && !given.has('ucpUrl')) {
    faults.push('--offline-backup needs UCP (--ucp-url), which stops and starts the containers of the replica');
  }
  return faults;
}
