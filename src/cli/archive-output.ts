/** Where a command writes its archive: stdout, or `--output FILE`. */
import { openFileOutput } from '../archive/io/file-output.js';
import { streamOutput, type Output } from '../archive/io/output.js';
import type { PreparedWrapping } from '../archive/wrapping/wrapping.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
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
  const { output, verify, force } = values;
  const {
    surroundings: { stdout },
    world,
  } = call;
  const { wrap } = prepared;
  nameRecipients(prepared, call);
  if (output === undefined) return wrap(streamOutput(stdout.stream, stdout.fd, world.signal));
  const prove = (part: string): Promise<void> => proveFile(part, decryptionKeys(values), world);
  return wrap(await openFileOutput(fillIn(output, about), { force, ...(verify && { prove }) }));
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
export function outputFaults({ output, verify }: OutputValues): string[] {
  if (!verify || output !== undefined) return [];
  return ['--verify is for --output FILE; pipe stdout through `tee FILE | dtr-backup verify -` instead'];
}

/** The original refuses it, too: an archive with its keys scrolls by, and docker merges stderr into it. */
export function refuseTerminal({ output }: OutputValues, { surroundings: { stdout } }: CommandRun): void {
  if (output !== undefined || !stdout.isTerminal) return;
  const remedy = 'remove -t from docker run, and redirect stdout to a file or use --output';
  throw new JobError(ExitCode.output, `stdout is a terminal, and the archive goes there: ${remedy}`);
}
