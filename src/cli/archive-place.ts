/** The argument of commands that work on a place of many archives. */
import { nameOfPlace, parsePlace, type StoredPlace } from '../model/place.js';
import type { JobContext } from '../jobs/job-context.js';
import type { ArchivePlace } from '../jobs/places/archive-list.js';
import { rejectFaults } from '../settings/reader.js';
import type { CommandRun, SettingsOf } from './commands.js';
import { openStore } from './places.js';

/** Disposing closes the store. */
interface OpenedPlace extends ArchivePlace, AsyncDisposable {
  /** As an operator would spell it. */
  readonly name: string;
}

/**
 * Opens the directory that the argument names; the caller disposes of it. Throws a UsageError with all faults, and
 * as the store does.
 */
export async function openArchivePlace(
  { values, faults }: SettingsOf<'list'> | SettingsOf<'prune'>,
  { file }: Pick<CommandRun, 'file'>,
  context: JobContext,
): Promise<OpenedPlace> {
  const place = placeOf(file, faults);
  rejectFaults(faults);
  const directory = place.path === '' || place.path.endsWith('/') ? place.path : `${place.path}/`;
  const store = await openStore(place, values, context);
  const dispose = (): PromiseLike<void> => store[Symbol.asyncDispose]();
  return { store, directory, name: nameOfPlace(place, directory), [Symbol.asyncDispose]: dispose };
}

/** Adds to the faults where the text names no place of many archives. */
function placeOf(text: string | undefined, faults: string[]): StoredPlace {
  const none: StoredPlace = { kind: 'file', path: '' };
  if (text === undefined || text === '') {
    faults.push('PLACE is missing: name the directory, or the prefix in a bucket, that holds the archives');
    return none;
  }
  const place = parsePlace(text);
  if (!place.ok) faults.push(`PLACE: ${place.reason}`);
  else if (place.value.kind === 'stdio') faults.push('PLACE cannot be -: stdin and stdout hold one archive');
  else return place.value;
  return none;
}
