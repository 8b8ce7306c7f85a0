/** The `[file]` of a command that reads an archive: a file, or stdin. */
import { openFileInput, streamInput, type Input } from '../archive/input.js';
import { UsageError } from '../base/errors.js';
import type { CommandRun } from './surroundings.js';

export const archiveFileHelp = 'the archive, gzipped or not; stdin when it is - or absent';

/** Opens it. Throws a JobError with exit code 2 when it cannot be opened, or nothing comes through stdin. */
export async function openArchive({ surroundings: { stdin }, file, world }: CommandRun): Promise<Input> {
  if (file !== '-') return openFileInput(file, world.signal);
  if (stdin.isTerminal) throw new UsageError(['name an archive, or pass one through stdin']);
  return streamInput(stdin.open(), world.signal);
}
