/** What `prune` prints on stdout: its plan, then what came of it; or both as one JSON document. */
import { formatBytes } from '../base/format.js';
import { nameOfArchive } from '../jobs/places/archive-list.js';
import type { Decision } from '../jobs/places/keep-policy.js';
import type { PruneOutcome, Removal } from '../jobs/places/prune.js';
import { inSections } from './columns.js';
import { archiveCells, archiveColumns, archiveForPrograms } from './list-report.js';

/** Ends in a newline. */
export function planReport(decisions: readonly Decision[], place: string, isDryRun: boolean): string {
  if (decisions.length === 0) return inSections([[[`no archives of dtr-backup in ${place}`]]]);
  const going = decisions.filter(({ goes }) => goes);
  const rows = decisions.map(({ archive, goes, reasons }) => [
    goes ? (isDryRun ? 'would go' : 'goes') : 'stays',
    ...archiveCells(archive),
    nameOfArchive(archive.path),
    reasons.join(', '),
  ]);
  const bytes = going.reduce((sum, { archive }) => sum + bytesOf(archive), 0);
  const total = `${going.length} of ${decisions.length} archives in ${place} ${isDryRun ? 'would go' : 'go'}`;
  return inSections([[['', ...archiveColumns, 'name', 'why'], ...rows], [[`${total}, ${formatBytes(bytes)}`]]]);
}

/** The plan for the log, where stdout gets JSON at the end. */
export function planLines(decisions: readonly Decision[]): string[] {
  return decisions.map(({ archive, goes, reasons }) =>
    goes ? `Goes: ${archive.path}` : `Stays: ${archive.path} (${reasons.join(', ')})`,
  );
}

/** Of a run that may have removed something. Begins with an empty line: it follows the plan. */
export function outcomeReport({ decisions, removals }: PruneOutcome): string {
  const untried = decisions.filter(({ goes }) => goes).slice(removals.length);
  const rows = [
    ...removals.flatMap(({ removed }) => removed.map((path) => ['removed', path])),
    ...removals.filter(isGone).map(({ archive }) => ['gone already', archive.path]),
    ...removals.flatMap(({ archive, failure }) =>
      failure === undefined ? [] : [['NOT REMOVED', archive.path, failure]],
    ),
    ...untried.map(({ archive }) => ['not tried', archive.path]),
  ];
  return rows.length === 0 ? '\nnothing is removed\n' : `\n${inSections([rows])}`;
}

/** Ends in a newline. */
export function pruneJson({ decisions, removals }: PruneOutcome, place: string, isDryRun: boolean): string {
  const tried = new Map(removals.map((removal) => [removal.archive, removal]));
  const archives = decisions.map(({ archive, goes, reasons }) => ({
    ...archiveForPrograms(archive),
    goes,
    reasons,
    ...outcomeOf(tried.get(archive)),
  }));
  return `${JSON.stringify({ place, isDryRun, archives }, undefined, 2)}\n`;
}

function isGone({ removed, failure }: Removal): boolean {
  return removed.length === 0 && failure === undefined;
}

function outcomeOf(removal: Removal | undefined): Partial<Pick<Removal, 'removed' | 'failure'>> {
  if (removal === undefined) return {};
  const { removed, failure } = removal;
  return { removed, ...(failure !== undefined && { failure }) };
}

function bytesOf({ state, summary }: Decision['archive']): number {
  return state.kind === 'leftover' ? 0 : summary.stored.bytes;
}
