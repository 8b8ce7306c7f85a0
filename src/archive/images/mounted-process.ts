/**
 * The process that reads a mounted storage for mounted-reader.ts, which kills it when the disk does not answer. Speaks in
 * MountedFrames on descriptors 0 and 1; nothing in it is asynchronous.
 */
import { readSync, writeSync } from 'node:fs';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { registryDirectory } from './image-layout.js';
import { answers, encodeFrame, lengthBytes, type MountedFrame } from './mounted-frames.js';
import { isDirectory, walkMountedStorage, type MountedItem } from './mounted-storage.js';

/** Frames and small bodies are joined to this size. */
const writeBytes = 64 * 1024;

/** A larger body is sent only when asked for. */
const maxUnaskedBytes = 256 * 1024;

let pending: Buffer[] = [];
let pendingBytes = 0;

try {
  const path = JSON.parse(read(read(lengthBytes).readUInt32BE()).toString('utf8')) as string;
  send({ kind: 'root', isDirectory: isDirectory(path) === true, hasRegistry: hasRegistry(path) });
  ask();
  for (const item of walkMountedStorage(path)) sendItem(item);
  send({ kind: 'end' });
} catch (error) {
  const isKnown = error instanceof JobError;
  const message = isKnown ? error.message : `the process that reads the storage: ${errorText(error)}`;
  send({ kind: 'failed', exitCode: isKnown ? error.exitCode : ExitCode.bug, message });
}
flush();

/** True, too, where something else than a directory is in its path: the walk reports that. */
function hasRegistry(path: string): boolean {
  let at = path;
  for (const part of registryDirectory.split('/')) {
    at += `/${part}`;
    const found = isDirectory(at);
    if (found !== true) return found === false;
  }
  return true;
}

function sendItem(item: MountedItem): void {
  if (item.kind !== 'entry') {
    send(item);
    return;
  }
  const { entry, body, hasOtherNames, changes } = item;
  const isAsked = entry.bytes > maxUnaskedBytes;
  send({ kind: 'entry', entry, hasOtherNames, isAsked });
  if (entry.type !== 'file') return;
  let answer: number | undefined = isAsked ? ask() : answers.send;
  for (; answer === answers.preview; answer = ask()) for (const piece of body) write(piece);
  const isWanted = answer === answers.send;
  if (isWanted) for (const piece of body) write(piece);
  send({ kind: 'afterFile', change: isWanted ? changes() : undefined });
}

function send(frame: MountedFrame): void {
  write(encodeFrame(frame));
}

/** Waits for an answer. */
function ask(): number | undefined {
  flush();
  return read(1)[0];
}

function write(bytes: Buffer): void {
  pending.push(bytes);
  pendingBytes += bytes.length;
  if (pendingBytes >= writeBytes) flush();
}

function flush(): void {
  const bytes = Buffer.concat(pending, pendingBytes);
  pending = [];
  pendingBytes = 0;
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}

function read(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at < count;) {
    const bytesRead = readSync(0, bytes, at, count - at, null);
    // The job has ended.
    if (bytesRead === 0) throw new Error('its input has ended');
    at += bytesRead;
  }
  return bytes;
}
