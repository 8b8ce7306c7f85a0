/** `list`: from the settings to the report. */
import { abortable } from '../base/deadline.js';
import { listArchives } from '../jobs/places/archive-list.js';
import { openArchivePlace } from './archive-place.js';
import { printReport } from './archive-report.js';
import type { RunCommand } from './commands.js';
import { listReport } from './list-report.js';

export const runList: RunCommand<'list'> = async (read, run) => {
  await using place = await openArchivePlace(read, run, run.context);
  run.processContext.stdout.open('report');
  const { signal } = run.context;
  const list = await abortable(listArchives(place, signal), signal);
  const [error] = list.errors;
  const text = listReport(list, { place: place.name, ...read.values });
  await printReport({ text, failure: error && { error } }, run);
};
