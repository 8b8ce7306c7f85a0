/** Where a command writes its archive: stdout, or `--output FILE`. */
import { openFileOutput } from '../store/file-output.js';
import { assertFree } from '../store/output-path.js';
import type { Output } from '../model/archive-stream.js';
import { stdoutOutput } from '../store/output.js';
import type { PreparedWrapping } from '../archive/envelope/envelope.js';
import type { keyNames, SettingValues } from '../settings/settings.js';
import { decryptionKeys } from '../settings/envelope-keys.js';
import { fillIn, type OutputFacts } from '../jobs/output-name.js';
import { verifyFile } from '../jobs/verify.js';
import type { CommandRun } from './process-context.js';

type OutputValues = SettingValues<'output' | 'verify' | 'force'>;
type KeyValues = SettingValues<(typeof keyNames)[number]>;

/** Opens it; `about` fills in the file's name. Throws a JobError with exit code 8. */
export async function openArchiveOutput(
  values: OutputValues & KeyValues,
  about: OutputFacts,
  prepared: PreparedWrapping,
  call: CommandRun,
): Promise<Output> {
  const { verify, force } = values;
  const {
    processContext: { stdout },
    context,
  } = call;
  const { wrap } = prepared;
  nameRecipients(prepared, call);
  const output = fileOf(values);
  if (output === undefined) return wrap(stdoutOutput(stdout.open('archive'), context.signal));
  const verifyArchive = (part: string): Promise<void> => verifyFile(part, decryptionKeys(values), context);
  return wrap(
    await openFileOutput(fillIn(output, about), {
      force,
      warn: (message) => context.log.warn(message),
      ...(verify && { verifyArchive }),
    }),
  );
}

/** Who can open it: one left out of the key file is found now, and not when the archive is needed. */
function nameRecipients({ recipients }: PreparedWrapping, { context }: CommandRun): void {
  if (recipients.length === 0) return;
  const count = recipients.length === 1 ? '1 key' : `${recipients.length} keys, each of which opens it`;
  context.log.info(`Encrypting to ${count}: ${recipients.join(', ')}`);
}

/** For archives of metadata. */
export function remindOfKeys({ isEncrypted }: PreparedWrapping, { context }: CommandRun): void {
  if (!isEncrypted) context.log.warn('The archive will hold private keys, and is not encrypted (--encrypt)');
}

/** What is wrong with the settings of the output. */
export function outputFaults(values: OutputValues): string[] {
  if (!values.verify || fileOf(values) !== undefined) return [];
  return ['--verify is for --output FILE; pipe stdout through `tee FILE | dtr-backup verify -` instead'];
}

/**
 * Called before anything is done. Throws a JobError with exit code 8 where the archive cannot go where it is to go, as
 * far as can be known by then: a name to be filled in is looked at when it is.
 */
export async function assertOutput(values: OutputValues, { processContext: { stdout } }: CommandRun): Promise<void> {
  const output = fileOf(values);
  if (output === undefined) stdout.open('archive');
  else if (!output.includes('{')) await assertFree(output, values.force);
}

/** Undefined for stdout, which `-` names as well. */
function fileOf({ output }: OutputValues): string | undefined {
  return output === '-' ? undefined : output;
}
