/** `backup`: from the settings to the job. */
import { openFileOutput } from '../archive/file-output.js';
import { streamOutput } from '../archive/output.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { resolveAccess } from '../config/access.js';
import { readSettings, rejectFaults, type ReadSettings } from '../config/reader.js';
import { accessNames, namesOf } from '../config/settings.js';
import { contentSettings } from '../config/settings/content.js';
import { offlineSettings } from '../config/settings/offline.js';
import { outputSettings } from '../config/settings/output.js';
import { backup, type OpenOutput } from '../jobs/backup.js';
import { fillIn } from '../jobs/output-name.js';
import { proveFile } from '../jobs/verify.js';
import type { Command, CommandRun } from './surroundings.js';

const settings = [
  ...accessNames,
  ...namesOf(contentSettings),
  ...namesOf(offlineSettings),
  ...namesOf(outputSettings),
  'dryRun',
] as const;

export const backupCommand: Command = {
  name: 'backup',
  help: 'write the metadata of a DTR replica to stdout as one tar',
  settings,
  run: runBackup,
};

async function runBackup({ surroundings, flags, faults, world }: CommandRun): Promise<void> {
  const read = readSettings(settings, { ...surroundings, flags });
  read.faults.unshift(...faults);
  const { values } = read;
  read.faults.push(...contradictions(read));
  const access = resolveAccess(read);
  rejectFaults(read.faults);
  if (access === undefined) throw new TypeError('no fault and yet no access');
  if (values.output === undefined && !values.dryRun) refuseTerminal(surroundings.stdout.isTerminal);

  const openOutput: OpenOutput = async ({ replica, startedAt }) => {
    if (values.output === undefined) {
      return streamOutput(surroundings.stdout.stream, surroundings.stdout.fd, world.signal);
    }
    const about = { version: replica.dtrVersion, replica: replica.id, date: startedAt };
    const prove = (part: string): Promise<void> => proveFile(part, world);
    return openFileOutput(fillIn(values.output, about), { force: values.force, ...(values.verify && { prove }) });
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
    ...(values.consistency !== undefined && { consistency: values.consistency }),
    settleMs: values.settleTime,
    queueSize: values.changefeedQueueSize,
    mode: values.offlineBackup ? ('offline' as const) : ('online' as const),
    stopWindowMs: access.connectWindowMs,
    startWindowMs: values.startTimeout,
    dryRun: values.dryRun,
    tool: surroundings.tool,
  };
  await backup(options, openOutput, world);
}

/** Settings that do not go together. */
function contradictions({ values, given }: ReadSettings<(typeof settings)[number]>): string[] {
  const faults: string[] = [];
  if (values.verify && values.output === undefined) {
    faults.push('--verify is for --output FILE; pipe stdout through `tee FILE | dtr-backup verify -` instead');
  }
  if (values.offlineBackup && values.ignoreEventsTable) {
    faults.push('--ignore-events-table is for online backups, not for --offline-backup');
  }
  if (values.offlineBackup && given.has('rethinkdbAddr') && !given.has('ucpUrl')) {
    faults.push('--offline-backup needs UCP (--ucp-url), which stops and starts the containers of the replica');
  }
  return faults;
}

/** The original refuses it, too: an archive with its keys scrolls by, and docker merges stderr into it. */
function refuseTerminal(isTerminal: boolean): void {
  if (!isTerminal) return;
  const remedy = 'remove -t from docker run, and redirect stdout to a file or use --output';
  throw new JobError(ExitCode.output, `stdout is a terminal, and the archive goes there: ${remedy}`);
}
