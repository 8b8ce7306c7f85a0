/** The path of `--output`: what is filled in, what may exist there before a run, and what other runs left next to it. */
import type { Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { outputError } from './output.js';

export interface OutputFacts {
  readonly version: string;
  /** Undefined where no replica is named. */
  readonly replica: string | undefined;
  /** The start of the backup. */
  readonly date: Date;
}

/** Fills in `{version}`, `{replica}` (`unknown` without one) and `{date}`, in UTC: `20261123T170405Z`. */
export function fillIn(template: string, { version, replica, date }: OutputFacts): string {
  const compactDate = date.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return template
    .replaceAll('{version}', version)
    .replaceAll('{replica}', replica ?? 'unknown')
    .replaceAll('{date}', compactDate);
}

/**
 * Throws a JobError with exit code 8 where an archive cannot have this name: a rename would replace a link, device or
 * FIFO instead of writing through it.
 */
export async function assertFree(path: string, force: boolean): Promise<void> {
  const refused = (why: string): JobError => new JobError(ExitCode.output, `${path} ${why}`);
  if (path === '' || path.endsWith('/')) throw refused('is not the name of a file: --output takes that of the archive');
  const stats = await statOf(path);
  if (stats === undefined) return;
  if (stats.isSymbolicLink())
    throw refused(`is a symbolic link to ${await readlink(path)}, and would be replaced: name the file itself`);
  if (stats.isDirectory()) throw refused('is a directory: name a file in it');
  if (!stats.isFile()) throw refused(`is a ${kindOf(stats)}: leave --output out, and redirect stdout to it`);
  if (!force) throw refused('exists and is never overwritten without --force');
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw outputError(path, error);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'FIFO';
  return stats.isSocket() ? 'socket' : 'device';
}

const partEnding = /^\.[0-9a-f]{8}\.part$/;

/** No .part is ever removed: a run in another container, or on another host, may still write it. */
export async function warnOfParts(path: string, warn: (message: string) => void): Promise<void> {
  const name = basename(path);
  for (const other of await readdir(dirname(path)).catch(() => [])) {
    if (!other.startsWith(name) || !partEnding.test(other.slice(name.length))) continue;
    const part = join(dirname(path), other);
    warn(`${part} is of a run that was killed, or that is still running: remove it if none is`);
  }
}
