/** What a place keeps: archives of ours, each known by the summary beside it, and other files. Reads no archive. */
import { mapConcurrently } from '../../base/concurrent-map.js';
import { JobError } from '../../base/errors.js';
import { byteTextOf } from '../../model/byte-text.js';
import { isNestedDeeper } from '../../model/document-limits.js';
import { archivePathOf, summaryPathOf, summarySchema, type Summary } from '../../model/summary.js';
import { maxTextBytes, type Store, type StoredFile } from '../../store/store.js';

/** A directory, or a prefix of keys, in which archives lie. */
export interface ArchivePlace {
  readonly store: Store;
  /** Empty, or ending in `/`. */
  readonly directory: string;
}

/** The lock of prunes, in the directory. */
export const lockName = 'dtr-backup-prune.lock';

/** An archive of ours, by a sound summary. */
export interface ListedArchive {
  readonly path: string;
  readonly summary: Summary;
  /** `complete` as far as its summary and its size tell. */
  readonly state:
    | { readonly kind: 'complete' }
    | { readonly kind: 'damaged'; readonly fault: string }
    /** A prune has removed the archive and not its summary. */
    | { readonly kind: 'leftover' };
}

/** A file that is not known to be an archive of ours. */
export interface OtherFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  readonly reason: string;
}

export interface ArchiveList {
  /** The newest first. */
  readonly archives: readonly ListedArchive[];
  /** In order of their paths. */
  readonly others: readonly OtherFile[];
  /** Why some summaries could not be read, which others may explain: such files are among `others`. */
  readonly errors: readonly JobError[];
}

/** Each call is one small file; more at a time would only burden the store. */
export const concurrentReads = 8;

/** Real summaries need 4. */
const maxDepth = 32;

/** Throws a JobError with exit code 2 where the directory cannot be listed, or the signal's reason. */
export async function listArchives({ store, directory }: ArchivePlace, signal: AbortSignal): Promise<ArchiveList> {
  const files = await store.list(directory);
  const sizes = new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes]));
  const candidates = files.filter(({ path }) => archivePathOf(path) !== undefined);
  const summaries = await mapConcurrently(candidates, concurrentReads, (file) => {
    signal.throwIfAborted();
    return readSummary(store, file, signal);
  });
  const archives: ListedArchive[] = [];
  const reasons = new Map([[`${directory}${lockName}`, 'the lock of a prune']]);
  const errors: JobError[] = [];
  const ours = new Set<string>();
  for (const [index, file] of candidates.entries()) {
    const path = archivePathOf(file.path) ?? '';
    const read = summaries[index];
    if (read?.kind === 'summary') {
      archives.push({ path, summary: read.summary, state: stateOf(path, sizes.get(path), read.summary) });
      ours.add(path).add(file.path);
    } else if (read !== undefined) {
      reasons.set(file.path, read.reason).set(path, `its summary ${read.reason}`);
      if (read.error !== undefined) errors.push(read.error);
    }
  }
  const others = files
    .filter(({ path }) => !ours.has(path))
    .map((file) => ({ ...file, reason: reasons.get(file.path) ?? 'has no summary' }));
  return { archives: archives.sort(newestFirst), others, errors };
}

type SummaryReading =
  | { readonly kind: 'summary'; readonly summary: Summary }
  | { readonly kind: 'none'; readonly reason: string; readonly error?: JobError };

/** Throws the signal's reason. */
async function readSummary(
  store: Store,
  { path, sizeBytes }: Pick<StoredFile, 'path' | 'sizeBytes'>,
  signal: AbortSignal,
): Promise<SummaryReading> {
  if (sizeBytes > maxTextBytes) return { kind: 'none', reason: `has ${sizeBytes} bytes, too many for a summary` };
  let text: string | undefined;
  try {
    text = await store.readText(path);
  } catch (error) {
    if (signal.aborted || !(error instanceof JobError)) throw error;
    return { kind: 'none', reason: 'cannot be read', error };
  }
  if (text === undefined) return { kind: 'none', reason: 'was removed meanwhile' };
  const summary = parseSummary(text);
  return typeof summary === 'string' ? { kind: 'none', reason: summary } : { kind: 'summary', summary };
}

/** Gives what is wrong with it, as a verb phrase, for what is no summary. */
export function parseSummary(text: string): Summary | string {
  // JSON.parse takes fifty times the memory of nested brackets.
  if (isNestedDeeper(byteTextOf(Buffer.from(text)), maxDepth)) return `is nested deeper than ${maxDepth}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return 'is not JSON';
  }
  const result = summarySchema.safeParse(parsed);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return `is not of the known shape: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
}

function stateOf(path: string, sizeBytes: number | undefined, summary: Summary): ListedArchive['state'] {
  const { name, stored, removalBegunAt } = summary;
  const damaged = (fault: string) => ({ kind: 'damaged' as const, fault });
  // Never used as a path: it may say anything.
  if (name !== nameOfArchive(path)) return damaged(`its summary is that of ${name}`);
  if (sizeBytes === undefined) return removalBegunAt === undefined ? damaged('it is missing') : { kind: 'leftover' };
  if (sizeBytes === stored.bytes) return { kind: 'complete' };
  return damaged(`it has ${sizeBytes} bytes, and its summary says ${stored.bytes}`);
}

/** The last part of its path. */
export function nameOfArchive(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The paths of what there is of an archive, itself first. */
export function filesOf({ path, state }: Pick<ListedArchive, 'path' | 'state'>): readonly string[] {
  return state.kind === 'leftover' ? [summaryPathOf(path)] : [path, summaryPathOf(path)];
}

function newestFirst(one: ListedArchive, other: ListedArchive): number {
  const later = Date.parse(other.summary.startedAt) - Date.parse(one.summary.startedAt);
  if (later !== 0) return later;
  return one.path < other.path ? -1 : 1;
}
