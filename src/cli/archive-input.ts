/** The `[file]` of a command that reads an archive: a file, or stdin; what wraps the archive is taken off. */
import type { Input } from '../model/archive-stream.js';
import { openFileInput, streamInput } from '../store/input.js';
import { unwrapInput } from '../archive/envelope/envelope.js';
import type { DecryptionKeys } from '../model/envelope.js';
import type { CommandRun } from './process-context.js';

/** Opens it. Throws a JobError with exit code 2 when it or what wraps it cannot be opened, or nothing comes through stdin. */
export async function openArchive(call: CommandRun, keys: DecryptionKeys): Promise<Input> {
  return unwrapInput(await openInput(call), keys);
}

/** The same as it is, with all that wraps it. */
export async function openInput({ processContext: { stdin }, file, context }: CommandRun): Promise<Input> {
  return file === '-' ? streamInput(stdin.open(), context.signal) : openFileInput(file, context.signal);
}
