/** `verify`: from the settings to the job, and from its verdict to the exit code. */
import { withHint } from '../archive/damaged-input.js';
import { unwrapInput } from '../archive/envelope/envelope.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { formatCount } from '../base/format.js';
import { unprovenText } from '../jobs/archive-reading.js';
import type { BackupVerdict } from '../jobs/images/metadata-check.js';
import { verify } from '../jobs/verify.js';
import type { Input } from '../model/archive-stream.js';
import { decryptionKeys } from '../settings/resolve.js';
import { reportOnArchive, type Report } from './archive-report.js';
import type { CommandRun, RunCommand, SettingsOf } from './commands.js';
import { openArchiveAt } from './places.js';
import { verifyReport } from './verify-report.js';

export const runVerify: RunCommand<'verify'> = (read, run) => {
  const { metadata, madeSince } = read.values;
  const fromStdin = [run.file ?? '-', metadata, ...madeSince].filter((file) => file === '-').length;
  if (fromStdin > 1)
    read.faults.push('only one of the archives can be stdin: the image archive, --metadata or --since');
  if (metadata === undefined && madeSince.length > 0) read.faults.push('--since is only for --metadata');
  return reportOnArchive(read, run, (input) =>
    metadata === undefined ? verifyOne(input, read, run) : verifyBoth(input, metadata, { read, run }),
  );
};

async function verifyOne(input: Input, { values }: SettingsOf<'verify'>, run: CommandRun): Promise<Report> {
  const { json, allowUnproven } = values;
  const verdict = await verify(input, run.context);
  const { state, findingCount } = verdict;
  if (state === 'unproven' && allowUnproven) run.context.log.warn(unprovenText(input));
  const messages = {
    whole: undefined,
    unproven: allowUnproven ? undefined : unprovenText(input, '--allow-unproven accepts it'),
    invalid: invalid(input, findingCount),
  };
  return { text: verifyReport(verdict, json), failure: failureOf(messages[state]) };
}

async function verifyBoth(
  images: Input,
  path: string,
  { read, run }: { readonly read: SettingsOf<'verify'>; readonly run: CommandRun },
): Promise<Report> {
  const { checkBackup } = await import('../jobs/images/metadata-check.js');
  const { json, allowUnproven, madeSince } = read.values;
  const open = async (file: string): Promise<Input> =>
    unwrapInput(await openArchiveAt(file, read.values, run), decryptionKeys(read.values));
  await using metadata = await open(path);
  const earlier = madeSince.map((file) => () => open(file));
  const verdict = await checkBackup({ images, metadata, since: earlier, allowUnproven }, run.context);
  const message =
    verdict.state === 'invalid' ? invalid(images, verdict.findingCount) : misfit(verdict, images, metadata);
  return { text: verifyReport(verdict, json), failure: failureOf(message) };
}

function invalid(input: Input, findingCount: number): string {
  const findings = findingCount === 1 ? '1 finding' : `${findingCount} findings`;
  return withHint(`${input.name} is invalid: ${findings}`, input);
}

/** Undefined where both halves fit. */
function misfit({ metadata: fit }: BackupVerdict, images: Input, metadata: Input): string | undefined {
  const { missing = 0, corrupt = 0 } = fit?.blobs ?? {};
  if (missing + corrupt === 0) return undefined;
  const what = [
    ...(missing === 0 ? [] : [`${formatCount(missing)} blobs are missing`]),
    ...(corrupt === 0 ? [] : [`${formatCount(corrupt)} are corrupt`]),
  ].join(', ');
  const affected = `${formatCount(fit?.affectedTags ?? 0)} of ${formatCount(fit?.tags ?? 0)} tags`;
  return `${images.name} does not fit ${metadata.name}: ${what} (${affected})`;
}

function failureOf(message: string | undefined): Report['failure'] {
  return message === undefined ? undefined : { error: new JobError(ExitCode.archiveInvalid, message) };
}
