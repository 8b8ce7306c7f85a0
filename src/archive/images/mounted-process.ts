/**
 * The process that reads a mounted storage, started by mounted-reader.ts: it may wait for a disk that does not answer,
 * and is killed then. It speaks as mounted-frames.ts says, on descriptors 0 and 1, and nothing in it is asynchronous.
 */
import { readSync, writeSync } from 'node:fs';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { registryDirectory } from './image-layout.js';
import { answers, encodeFrame, lengthBytes, type MountedFrame } from './mounted-frames.js';
import { isDirectory, walkMountedStorage, type MountedItem } from './mounted-storage.js';

/** Frames and small bodies are gathered to this size. */
const gatheredBytes = 64 * 1024;

/** A body that is larger is asked for: it may be one that nobody needs. */
const unaskedBytes = 256 * 1024;

let gathered: Buffer[] = [];
let gatheredLength = 0;

try {
  const path = JSON.parse(read(read(lengthBytes).readUInt32BE()).toString('utf8')) as string;
  say({ kind: 'root', isDirectory: isDirectory(path) === true, hasRegistry: hasRegistry(path) });
  ask();
  for (const item of walkMountedStorage(path)) tell(item);
  say({ kind: 'end' });
} catch (error) {
  const isKnown = error instanceof JobError;
  const message = isKnown ? error.message : `the process that reads the storage: ${errorText(error)}`;
  say({ kind: 'failed', exitCode: isKnown ? error.exitCode : ExitCode.bug, message });
}
flush();

/** Where something else than a directory is on the way to it, the walk meets that, and its reader says what it is. */
function hasRegistry(path: string): boolean {
  let at = path;
  for (const part of registryDirectory.split('/')) {
    at += `/${part}`;
    const found = isDirectory(at);
    if (found !== true) return found === false;
  }
  return true;
}

function tell(item: MountedItem): void {
  if (item.kind !== 'entry') {
    say(item);
    return;
  }
  const { entry, body, hasOtherNames, changes } = item;
  const isAsked = entry.bytes > unaskedBytes;
  say({ kind: 'entry', entry, hasOtherNames, isAsked });
  if (entry.type !== 'file') return;
  const isWanted = !isAsked || ask() === answers.send;
  if (isWanted) for (const piece of body) gather(piece);
  const what = isWanted ? changes() : undefined;
  say({ kind: 'afterFile', ...(what !== undefined && { what }) });
}

function say(frame: MountedFrame): void {
  gather(encodeFrame(frame));
}

/** The byte that answers. */
function ask(): number | undefined {
  flush();
  return read(1)[0];
}

function gather(bytes: Buffer): void {
  gathered.push(bytes);
  gatheredLength += bytes.length;
  if (gatheredLength >= gatheredBytes) flush();
}

function flush(): void {
  const bytes = Buffer.concat(gathered, gatheredLength);
  gathered = [];
  gatheredLength = 0;
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}

function read(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at < count;) {
    const bytesRead = readSync(0, bytes, at, count - at, null);
    // Nobody is there any more.
    if (bytesRead === 0) throw new Error('its input has ended');
    at += bytesRead;
  }
  return bytes;
}
