/**
 * Small trees of files (certificates) as the tars that an engine makes of a directory and unpacks into one. All in
 * memory: nothing is ever unpacked to disk here.
 */
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';

/** A replica's certificate volumes hold some dozens of files of a few kB; anything beyond this is no such volume. */
const mostBytes = 64 * 1024 * 1024;

/** The end of a tar: two blocks of zeros. */
const endBytes = 1024;

export interface FileOwnership {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface TreeFile {
  /** Below the directory that was asked for, without a leading slash. */
  readonly path: string;
  readonly body: Buffer;
  readonly ownership: FileOwnership;
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
    const { name, type, size, mode, uid, gid } = entry.header;
    const path = name.split('/').slice(1).join('/');
    bytes += size;
    if (bytes > mostBytes) throw new Error(`more than ${mostBytes} bytes of files`);
    if (type === 'file') files.push({ path, body: await buffer(entry), ownership: { mode, uid, gid } });
    else if (type !== 'directory') skipped.push(path);
    entry.resume();
  }
  await feeding;
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, skipped };
}

/** A tar of files, without the directories they lie in: those that are there stay as they are. */
export async function packFiles(files: readonly (Pick<TreeFile, 'path' | 'body'> & FileOwnership)[]): Promise<Buffer> {
  const tar = pack();
  for (const { path, body, mode, uid, gid } of files) tar.entry({ name: path, mode, uid, gid }, body);
  tar.finalize();
  return buffer(tar);
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
