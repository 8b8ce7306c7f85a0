/** Where a command writes its archive: stdout or a file, compressed and encrypted as the settings say. */
import { prepareWrapping } from '../archive/envelope/envelope.js';
import { verifyFile } from '../jobs/verify.js';
import type { Output } from '../model/archive-stream.js';
import type { OutputSettings } from '../settings/resolve.js';
import { openFileOutput } from '../store/file-output.js';
import { assertFree, fillIn, type OutputFacts } from '../store/output-path.js';
import { stdoutOutput } from '../store/output.js';
import type { CommandRun } from './commands.js';

interface OutputUse {
  readonly isDryRun: boolean;
  /** Whether the archive holds private keys: it then warns where nothing encrypts them. */
  readonly holdsKeys: boolean;
}

/**
 * Gives what opens the output; `about` fills in the file's name. Throws a JobError: exit code 8 where the archive cannot
 * be written there, as far as this can be known now (a name still to be filled in is checked when it is opened), 2 for
 * keys that cannot encrypt.
 */
export async function prepareOutput(
  { target, wrapping, keys }: OutputSettings,
  { isDryRun, holdsKeys }: OutputUse,
  { processContext: { stdout }, context }: CommandRun,
): Promise<(about: OutputFacts) => Promise<Output>> {
  const { log, signal } = context;
  if (!isDryRun) {
    if (target.kind === 'stdout') stdout.open('archive');
    else if (!target.path.includes('{')) await assertFree(target.path, target.force);
  }
  const { wrap, isEncrypted, recipients } = await prepareWrapping(wrapping);
  return async (about) => {
    if (holdsKeys && !isEncrypted) log.warn('The archive will hold private keys, and is not encrypted (--encrypt)');
    // A key that is missing in the key file is found now, not when the archive is needed.
    const keyCount = recipients.length === 1 ? '1 key' : `${recipients.length} keys, each of which opens it`;
    if (recipients.length > 0) log.info(`Encrypting to ${keyCount}: ${recipients.join(', ')}`);
    if (target.kind === 'stdout') return wrap(stdoutOutput(stdout.open('archive'), signal));
    const { path, force, verify } = target;
    const verifyArchive = verify ? (part: string) => verifyFile(part, keys, context) : undefined;
    const warn = (message: string): void => log.warn(message);
    return wrap(await openFileOutput(fillIn(path, about), { force, warn, verifyArchive }));
  };
}
