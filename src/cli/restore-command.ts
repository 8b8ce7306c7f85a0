/** `restore`: from the settings to the job, and its report, which a failed run needs most. */
import { unwrappedSource } from '../archive/envelope/envelope.js';
import { rereadSource, singleSource } from '../store/archive-source.js';
import { resolveAccess } from '../settings/replica-access.js';
import { readSettings, rejectFaults } from '../settings/reader.js';
import { decryptionKeys } from '../settings/envelope-keys.js';
import { restore } from '../jobs/restore/restore.js';
import { openInput } from './archive-input.js';
import { restoreNames } from './setting-names.js';
import { printFailure, printReport } from './report.js';
import { restoreReport } from './restore-report.js';
import type { CommandRun } from './process-context.js';

export async function runRestore(call: CommandRun): Promise<void> {
  const { processContext, flags, context } = call;
  const read = readSettings(restoreNames, { ...processContext, flags });
  const { values, given, faults } = read;
  faults.unshift(...call.faults);
  if (values.replace && values.merge) faults.push('--replace and --merge contradict each other: give one of them');
  const access = resolveAccess(read, { needsVersion: false });
  if (values.writeCertificates && given.has('rethinkdbAddr') && !given.has('ucpUrl')) {
    faults.push('--certificates needs UCP: with --rethinkdb-addr alone the volumes cannot be reached');
  }
  rejectFaults(faults);
  if (access === undefined) throw new TypeError('no fault and yet no access');
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
  processContext.stdout.open('report');
  const open = () => openInput(call);
  const kept = values.dryRun ? singleSource(open) : rereadSource(open, context);
  await using source = unwrappedSource(kept, decryptionKeys(values));
  const outcome = await restore(options, source, context);
  const { plan, failure } = outcome;
  // A run that failed before it had a plan has nothing to report.
  if (plan === undefined) throw failure?.error;
  const report = restoreReport({ ...outcome, plan }, values.json);
  if (failure === undefined) await printReport(processContext, report);
  else await printFailure(processContext, report, { failure: failure.error, log: context.log });
}
