/** Reads a small tar that an engine made of a directory (certificates) into memory. Nothing is ever unpacked to disk. */
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';

/** A replica's certificate volumes hold some dozens of files of a few kB; anything beyond this is no such volume. */
const mostBytes = 64 * 1024 * 1024;

/** The end of a tar: two blocks of zeros. */
const endBytes = 1024;

export interface TreeFile {
  /** Below the directory that was asked for, without a leading slash. */
  readonly path: string;
  readonly body: Buffer;
}

export interface FileTree {
  /** Regular files by path. */
  readonly files: readonly TreeFile[];
  /** What is there and is no regular file or directory: links, devices, sockets. */
  readonly skipped: readonly string[];
}

/**
 * Reads all of it. The entries' first path component is the directory itself and is cut off. Throws when the tar is
 * cut short, broken or too large. The stream is consumed or destroyed.
 */
export async function readFileTree(tar: Readable): Promise<FileTree> {
  const files: TreeFile[] = [];
  const skipped: string[] = [];
  let bytes = 0;
  const entries = extract();
  // A failure of the source destroys `entries`, and so comes out of the loop below.
  const feeding = pipeline(demandEnd(tar), entries).catch(() => undefined);
  for await (const entry of entries) {
    const { name, type, size } = entry.header;
    const path = name.split('/').slice(1).join('/');
    bytes += size;
    if (bytes > mostBytes) throw new Error(`more than ${mostBytes} bytes of files`);
    if (type === 'file') files.push({ path, body: await buffer(entry) });
    else if (type !== 'directory') skipped.push(path);
    entry.resume();
  }
  await feeding;
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, skipped };
}

/** tar-stream takes a tar cut between two entries for a whole one: only the two zero blocks at the end tell. */
async function* demandEnd(tar: Readable): AsyncGenerator<Buffer> {
  let end = Buffer.alloc(0);
  for await (const chunk of tar as AsyncIterable<Buffer>) {
    end = Buffer.concat([end, chunk.subarray(-endBytes)]).subarray(-endBytes);
    yield chunk;
  }
  if (end.length < endBytes || end.some((byte) => byte !== 0)) throw new Error('the tar is cut short');
}
