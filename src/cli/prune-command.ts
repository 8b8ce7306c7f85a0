/** `prune`: from the settings to the job, and its report: the plan before anything is removed, and what came of it. */
import { abortable, delayedSignal } from '../base/deadline.js';
import { prune, type PruneOptions } from '../jobs/places/prune.js';
import { openArchivePlace } from './archive-place.js';
import { printReport } from './archive-report.js';
import type { RunCommand } from './commands.js';
import { outcomeReport, planLines, planReport, pruneJson } from './prune-report.js';

/** A run that was told to stop finishes the removal in progress and releases its lock. */
const stopTimeoutMs = 5000;

export const runPrune: RunCommand<'prune'> = async (read, run) => {
  const { values, faults } = read;
  const { dryRun, json } = values;
  const keeps = {
    last: values.keepLast,
    daily: values.keepDaily,
    weekly: values.keepWeekly,
    monthly: values.keepMonthly,
  };
  if (Object.values(keeps).every((count) => count === undefined))
    faults.push('nothing says what to keep: give --keep-last, --keep-daily, --keep-weekly or --keep-monthly');
  const { context, processContext } = run;
  using stopping = delayedSignal(context.signal, stopTimeoutMs, () => undefined);
  await using place = await openArchivePlace(read, run, { ...context, signal: stopping.signal });
  processContext.stdout.open('report');
  const show: PruneOptions['show'] = async (decisions) => {
    if (json) for (const line of planLines(decisions)) context.log.info(line);
    else await printReport({ text: planReport(decisions, place.name, dryRun), failure: undefined }, run);
  };
  const outcome = await prune(place, { keeps, dryRun, breaksLock: values.breakPruneLock, show }, context);
  const text = json ? pruneJson(outcome, place.name, dryRun) : dryRun ? '' : outcomeReport(outcome);
  // Nobody may read it any more: what was stopped must end.
  await abortable(printReport({ text, failure: outcome.failure }, run), stopping.signal);
};
