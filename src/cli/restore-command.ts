/** `restore`: from the settings to the job, and its report, which a failed run needs most. */
import { rereadSource, singleSource, unwrappedSource } from '../archive/io/archive-source.js';
import { resolveAccess } from '../config/access.js';
import { readSettings, rejectFaults } from '../config/reader.js';
import { accessNames, keyNames, namesOf } from '../config/settings.js';
import { restoreSettings } from '../config/settings/restore.js';
import { decryptionKeys } from '../config/wrapping.js';
import { newRestoreRecord } from '../jobs/restore-record.js';
import { archiveFileHelp, openInput } from './archive-input.js';
import { printFailure, printReport } from './report.js';
import { restoreReport } from './restore-report.js';
import type { Command, CommandRun } from './surroundings.js';

const settings = [...accessNames, ...keyNames, ...namesOf(restoreSettings), 'allowUnproven', 'dryRun', 'json'] as const;

export const restoreCommand: Command = {
  name: 'restore',
  help: "write an archive into a replica's RethinkDB",
  settings,
  file: archiveFileHelp,
  run: runRestore,
};

/** Loaded when it is called for: with the ways to RethinkDB and UCP it takes as long as all the rest. */
const loadJob = () => import('../jobs/restore.js');

async function runRestore(call: CommandRun): Promise<void> {
  const { surroundings, flags, world } = call;
  const read = readSettings(settings, { ...surroundings, flags });
  const { values, given, faults } = read;
  faults.unshift(...call.faults);
  if (values.replace && values.merge) faults.push('--replace and --merge contradict each other: give one of them');
  const access = resolveAccess(read, { needsVersion: false });
  if (values.writeCertificates && given.has('rethinkdbAddr') && !given.has('ucpUrl')) {
    faults.push('--certificates needs UCP: with --rethinkdb-addr alone the volumes cannot be reached');
  }
  rejectFaults(faults);
  if (access === undefined) throw new TypeError('no fault and yet no access');
  const { restore } = await loadJob();
  const options = {
    access,
    mode: values.replace ? 'replace' : values.merge ? 'merge' : 'fill',
    only: values.onlyTable,
    dryRun: values.dryRun,
    skipVerify: values.skipVerify,
    allowUnproven: values.allowUnproven,
    allowVersionMismatch: values.allowVersionMismatch,
    withCertificates: values.writeCertificates,
    comparesContent: values.verifyRestored,
    breaksLock: values.breakLock,
  } as const;
  surroundings.stdout.open('report');
  const open = () => openInput(call);
  const kept = values.dryRun ? singleSource(open) : rereadSource(open, world.signal);
  await using source = unwrappedSource(kept, decryptionKeys(values));
  const record = newRestoreRecord();
  try {
    await restore(options, source, record, world);
  } catch (failure) {
    // A run refused before it had a plan has nothing to report.
    if (!record.isBegun && record.tables.length === 0) throw failure;
    await printFailure(surroundings, restoreReport(record, values.json), { failure, log: world.log });
  }
  await printReport(surroundings, restoreReport(record, values.json));
}
