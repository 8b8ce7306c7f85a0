/** Where a command writes its archive: stdout, or `--output FILE`. */
import { openFileOutput } from '../archive/io/file-output.js';
import { assertFree } from '../archive/io/output-path.js';
import { stdoutOutput, type Output } from '../archive/io/output.js';
import type { PreparedWrapping } from '../archive/wrapping/wrapping.js';
import type { keyNames, SettingValues } from '../config/settings.js';
import { decryptionKeys } from '../config/wrapping.js';
import { fillIn, type OutputFacts } from '../jobs/output-name.js';
import { proveFile } from '../jobs/verify.js';
import type { CommandRun } from './surroundings.js';

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
    surroundings: { stdout },
    world,
  } = call;
  const { wrap } = prepared;
  nameRecipients(prepared, call);
  const output = fileOf(values);
  if (output === undefined) return wrap(stdoutOutput(stdout.open('archive'), world.signal));
  const prove = (part: string): Promise<void> => proveFile(part, decryptionKeys(values), world);
  return wrap(
    await openFileOutput(fillIn(output, about), {
      force,
      warn: (message) => world.log.warn(message),
      ...(verify && { prove }),
    }),
  );
}

/** Who can open it: one left out of the key file is found now, and not when the archive is needed. */
function nameRecipients({ recipients }: PreparedWrapping, { world }: CommandRun): void {
  if (recipients.length === 0) return;
  const count = recipients.length === 1 ? '1 key' : `${recipients.length} keys, each of which opens it`;
  world.log.info(`Encrypting to ${count}: ${recipients.join(', ')}`);
}

/** For archives of metadata. */
export function remindOfKeys({ isEncrypted }: PreparedWrapping, { world }: CommandRun): void {
  if (!isEncrypted) world.log.warn('The archive will hold private keys, and is not encrypted (--encrypt)');
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
export async function assertOutput(values: OutputValues, { surroundings: { stdout } }: CommandRun): Promise<void> {
  const output = fileOf(values);
  if (output === undefined) stdout.open('archive');
  else if (!output.includes('{')) await assertFree(output, values.force);
}

/** Undefined for stdout, which `-` names as well. */
function fileOf({ output }: OutputValues): string | undefined {
  return output === '-' ? undefined : output;
}
