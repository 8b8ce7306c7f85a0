/**
 * The file of `--metrics-file`: what may be there before, and how it is replaced. Readers (node_exporter runs as another
 * user) see the old file or the new one, whole.
 */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withTimeout } from '../base/deadline.js';
import { errorCode } from '../base/errors.js';
import { firstLine } from './metrics.js';

/** No step on a mount that hangs ever ends, and a run must not wait for it. */
const timeoutMs = 5000;
const tooSlow = (): Error => new Error(`its file system has not answered for ${timeoutMs / 1000} s`);

/** Far more than any text of ours. */
const maxFileBytes = 64 * 1024;

/** Why metrics cannot have this path, in words that follow it; undefined where nothing is known against it. */
export async function metricsFileFault(path: string): Promise<string | undefined> {
  // What else is wrong is told when the file is written, and is no reason not to run.
  const found = await withTimeout(look(path), timeoutMs, tooSlow).catch(() => undefined);
  return found?.kind === 'refused' ? found.why : undefined;
}

/** Writes the text that `make` gives for the earlier text, undefined where there is none. Rejects when it cannot. */
export async function writeMetricsFile(path: string, make: (earlier: string | undefined) => string): Promise<void> {
  await withTimeout(replace(path, make), timeoutMs, tooSlow);
}

type Found =
  | { readonly kind: 'none' }
  | { readonly kind: 'ours'; readonly text: string }
  | { readonly kind: 'refused'; readonly why: string };

/** A rename would replace a link or a device instead of writing through it; and no file but ours is ever replaced. */
async function look(path: string): Promise<Found> {
  if (path.endsWith('/')) return refused('is not the name of a file');
  try {
    const why = faultOf(await lstat(path));
    return why === undefined ? await read(path) : refused(why);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { kind: 'none' };
    throw error;
  }
}

async function read(path: string): Promise<Found> {
  // Never waits for the writer of a FIFO that has taken the place of the file.
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const why = faultOf(await file.stat());
    if (why !== undefined) return refused(why);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxFileBytes), 0, maxFileBytes, 0);
    const text = buffer.toString('utf8', 0, bytesRead);
    const isOurs = bytesRead === 0 || text.startsWith(`${firstLine}\n`);
    return isOurs ? { kind: 'ours', text } : refused('holds something else than metrics of dtr-backup');
  } finally {
    await file.close();
  }
}

function faultOf(stats: Stats): string | undefined {
  if (stats.isSymbolicLink()) return 'is a symbolic link, and would be replaced: name the file itself';
  if (stats.isDirectory()) return 'is a directory: name a file in it';
  return stats.isFile() ? undefined : 'is no regular file';
}

function refused(why: string): Found {
  return { kind: 'refused', why };
}

async function replace(path: string, make: (earlier: string | undefined) => string): Promise<void> {
  const found = await look(path);
  if (found.kind === 'refused') throw new Error(`it ${found.why}`);
  const text = make(found.kind === 'ours' ? found.text : undefined);
  // The collector reads *.prom alone.
  const partPath = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    await writeWhole(partPath, text);
    await rename(partPath, path);
  } catch (error) {
    await rm(partPath, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(path).catch(() => undefined);
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    // Whatever the umask is.
    await file.chmod(0o644);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  await directory.sync().finally(() => directory.close());
}
