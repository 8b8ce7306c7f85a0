/** What `list` prints on stdout. */
import { formatBytes, formatCount } from '../base/format.js';
import type { ArchiveList, ListedArchive, OtherFile } from '../jobs/places/archive-list.js';
import { nameOfArchive } from '../jobs/places/archive-list.js';
import type { Summary } from '../model/summary.js';
import { inSections } from './columns.js';

interface ListOptions {
  /** The name of the place. */
  readonly place: string;
  /** Whether files that are not known to be archives of ours are shown. */
  readonly all: boolean;
  readonly json: boolean;
}

/** Ends in a newline. */
export function listReport({ archives, others }: ArchiveList, { place, all, json }: ListOptions): string {
  if (json) {
    const shown = { place, archives: archives.map(archiveForPrograms), ...(all && { others }) };
    return `${JSON.stringify(shown, undefined, 2)}\n`;
  }
  const hidden = all || others.length === 0 ? [] : [[`${amount(others.length, 'other file')}: --all shows them`]];
  return inSections([
    archives.length === 0
      ? [[`no archives of dtr-backup in ${place}`]]
      : [[...archiveColumns, 'verified', 'name', ''], ...archives.map(row)],
    all && others.length > 0 ? [['other file', 'size', 'modified', 'why it is not shown as an archive']] : [],
    all ? others.map(otherRow) : hidden,
  ]);
}

/** The heads of the cells of `archiveCells`. */
export const archiveColumns = ['date', 'replica', 'version', 'kind', 'size', 'holds'];

/** What tells archives of a place apart. */
export function archiveCells({ summary }: ListedArchive): string[] {
  const { startedAt, replicaId, dtrVersion, kind, stored } = summary;
  return [
    inSeconds(startedAt),
    ...[replicaId ?? 'unknown', dtrVersion ?? 'unknown', kind],
    ...[formatBytes(stored.bytes), contentOf(summary)],
  ];
}

function row(archive: ListedArchive): string[] {
  const { path, summary, state } = archive;
  const notes = [
    ...(state.kind === 'damaged' ? [`DAMAGED: ${state.fault}`] : []),
    ...(state.kind === 'leftover' ? ['removed by a prune that did not end; the next one removes its summary'] : []),
    ...(summary.isShort ? ['short'] : []),
    ...(summary.isEncrypted ? ['encrypted'] : []),
  ];
  const verified = summary.verifiedAt === undefined ? 'no' : inSeconds(summary.verifiedAt);
  return [...archiveCells(archive), verified, nameOfArchive(path), notes.join(', ')];
}

function otherRow({ path, sizeBytes, modifiedAt, reason }: OtherFile): string[] {
  return [nameOfArchive(path), formatBytes(sizeBytes), inSeconds(modifiedAt.toISOString()), reason];
}

function contentOf(summary: Summary): string {
  if (summary.kind === 'images') return amount(summary.files.count, 'file');
  const changes = summary.changes.count > 0 ? ` + ${amount(summary.changes.count, 'change')}` : '';
  return `${amount(summary.documents.count, 'document')}${changes}`;
}

function amount(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** `2026-11-23T10:00:00Z` of a date with fractions of a second. */
function inSeconds(date: string): string {
  return date.replace(/\.\d+/, '');
}

/** What programs get to know of an archive. */
export function archiveForPrograms({ path, summary, state }: ListedArchive): Readonly<Record<string, unknown>> {
  return { path, state: state.kind, ...(state.kind === 'damaged' && { fault: state.fault }), summary };
}
