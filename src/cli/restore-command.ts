/** `restore`: from the settings to the job, and its report, which a failed run needs most. */
import { unwrappedSource } from '../archive/envelope/envelope.js';
import { restore } from '../jobs/restore/restore.js';
import { decryptionKeys, resolveAccess } from '../settings/resolve.js';
import { rereadSource, singleSource } from '../store/archive-source.js';
import { printReport } from './archive-report.js';
import type { RunCommand } from './commands.js';
import { openArchiveAt } from './places.js';
import { restoreReport } from './restore-report.js';

export const runRestore: RunCommand<'restore'> = async (read, run) => {
  const { values, faults } = read;
  if (values.replace && values.merge) faults.push('--replace and --merge contradict each other: give one of them');
  const reachesVolumes = '--certificates needs UCP: with --rethinkdb-addr alone the volumes cannot be reached';
  const options = {
    access: resolveAccess(read, { needsVersion: false, needsUcp: values.writeCertificates && reachesVolumes }),
    mode: values.replace ? 'replace' : values.merge ? 'merge' : 'fill',
    only: values.onlyTable,
    dryRun: values.dryRun,
    skipVerify: values.skipVerify,
    allowUnproven: values.allowUnproven,
    allowVersionMismatch: values.allowVersionMismatch,
    skipsIndexes: values.skipIndexes,
    withCertificates: values.writeCertificates,
    comparesContent: values.verifyRestored,
    breaksLock: values.breakLock,
  } as const;
  run.processContext.stdout.open('report');
  const open = () => openArchiveAt(run.file ?? '-', values, run);
  const kept = values.dryRun ? singleSource(open) : rereadSource(open, run.context);
  await using source = unwrappedSource(kept, decryptionKeys(values));
  const { plan, record, failure } = await restore(options, source, run.context);
  // A run that failed before it had a plan has nothing to report.
  if (plan === undefined) throw failure?.error;
  await printReport({ text: restoreReport({ plan, record }, values.json), failure }, run);
};
