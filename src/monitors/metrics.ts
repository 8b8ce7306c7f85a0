/**
 * The metrics of one run in the text format of Prometheus (exposition format 0.0.4), as the textfile collector of
 * node_exporter reads it. docs/monitoring.md describes them.
 */
import type { ArchiveFacts } from '../model/summary.js';

/** Of the archive that a run has written; `stored` is what lies in its place, compressed and encrypted as it is. */
export type WrittenArchive = ArchiveFacts & { readonly stored?: { readonly bytes: number } | undefined };

export interface RunMetrics {
  readonly command: string;
  /** Undefined where it is not known. */
  readonly replicaId: string | undefined;
  readonly exitCode: number;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly durationSeconds: number;
  /** Undefined where no run has succeeded yet. */
  readonly lastSuccessAt: Date | undefined;
  readonly archive: WrittenArchive | undefined;
}

/** The first line of a file of metrics: what begins otherwise is not ours. */
export const firstLine = '# dtr-backup: metrics of the last run';

const lastSuccess = 'last_success_timestamp_seconds';
const lastEnd = 'last_run_end_timestamp_seconds';

/** All are gauges. */
const help = {
  last_run_success: 'Whether the last run ended with exit code 0.',
  last_run_exit_code: 'Exit code of the last run.',
  last_run_start_timestamp_seconds: 'Start of the last run, in seconds since 1970.',
  [lastEnd]: 'End of the last run, in seconds since 1970.',
  last_run_duration_seconds: 'Duration of the last run.',
  [lastSuccess]: 'End of the last run that ended with exit code 0, in seconds since 1970.',
  archive_documents: 'Documents in the archive of the last run.',
  archive_document_bytes: 'Bytes of the documents in the archive of the last run.',
  archive_changes: 'Changes in the journal of the archive of the last run.',
  archive_files: 'Files in the image archive of the last run.',
  archive_file_bytes: 'Bytes of the files in the image archive of the last run.',
  archive_blobs: 'Blobs in the image archive of the last run.',
  archive_blob_bytes: 'Bytes of the blobs in the image archive of the last run.',
  archive_stored_bytes: 'Bytes of the archive of the last run as stored, compressed and encrypted.',
  archive_short: 'Whether the archive of the last run lacks something that its source lacked or changed meanwhile.',
  certificate_expiry_timestamp_seconds:
    'Earliest end of a certificate in the archive of the last run, in seconds since 1970.',
} as const;

type MetricName = keyof typeof help;

/** Ends in a newline. A metric without a value is absent. */
export function metricsText(run: RunMetrics): string {
  const { command, replicaId } = run;
  const labels = [
    `command="${escapeLabel(command)}"`,
    ...(replicaId === undefined ? [] : [`replica="${escapeLabel(replicaId)}"`]),
  ].join(',');
  const values = { ...valuesOfRun(run), ...(run.archive && valuesOfArchive(run.archive)) };
  const samples = (Object.keys(help) as MetricName[]).flatMap((name) => {
    const value = values[name];
    if (value === undefined) return [];
    const full = `dtr_backup_${name}`;
    return [`# HELP ${full} ${help[name]}`, `# TYPE ${full} gauge`, `${full}{${labels}} ${value}`];
  });
  return `${[firstLine, ...samples].join('\n')}\n`;
}

type Values = Partial<Record<MetricName, number | undefined>>;

function valuesOfRun({ exitCode, startedAt, endedAt, durationSeconds, lastSuccessAt }: RunMetrics): Values {
  return {
    last_run_success: exitCode === 0 ? 1 : 0,
    last_run_exit_code: exitCode,
    last_run_start_timestamp_seconds: secondsOf(startedAt),
    [lastEnd]: secondsOf(endedAt),
    last_run_duration_seconds: Math.round(durationSeconds * 1000) / 1000,
    [lastSuccess]: lastSuccessAt && secondsOf(lastSuccessAt),
  };
}

function valuesOfArchive(archive: WrittenArchive): Values {
  const common = { archive_stored_bytes: archive.stored?.bytes, archive_short: archive.isShort ? 1 : 0 };
  if (archive.kind === 'images') {
    const { files, blobs } = archive;
    return {
      ...common,
      archive_files: files.count,
      archive_file_bytes: files.bytes,
      archive_blobs: blobs.count,
      archive_blob_bytes: blobs.bytes,
    };
  }
  const { documents, changes, oldestCertificateExpiry: expiry } = archive;
  return {
    ...common,
    archive_documents: documents.count,
    archive_document_bytes: documents.bytes,
    archive_changes: changes.count,
    certificate_expiry_timestamp_seconds: expiry === undefined ? undefined : secondsOf(new Date(expiry)),
  };
}

function secondsOf(date: Date): number {
  return date.getTime() / 1000;
}

/** What an earlier file says of the run before. */
export interface EarlierRun {
  readonly command: string;
  readonly replicaId: string | undefined;
  readonly lastSuccessAt: Date | undefined;
}

const labelText = String.raw`"((?:[^"\\\n]|\\.)*)"`;
const sample = new RegExp(
  String.raw`^dtr_backup_(\w+)\{command=${labelText}(?:,replica=${labelText})?\} ([\d.]+)$`,
  'gm',
);

/** Undefined for a text that `metricsText` has not made. */
export function earlierRunOf(text: string): EarlierRun | undefined {
  if (!text.startsWith(`${firstLine}\n`)) return undefined;
  const samples = [...text.matchAll(sample)];
  const [, , command, replicaId] = samples.find(([, name]) => name === lastEnd) ?? [];
  if (command === undefined) return undefined;
  const success = samples.find(([, name]) => name === lastSuccess)?.[4];
  return {
    command: unescapeLabel(command),
    replicaId: replicaId === undefined ? undefined : unescapeLabel(replicaId),
    lastSuccessAt: success === undefined ? undefined : dateOf(Number(success)),
  };
}

function dateOf(seconds: number): Date | undefined {
  const date = new Date(Math.round(seconds * 1000));
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function unescapeLabel(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
