/**
 * The end of an archive: files whose names are not ours (certificates), the manifest, and the two zero blocks. Only a
 * finished backup gets one.
 */
import type { Output } from '../../model/archive-stream.js';
import { encodeFileEntry, endBlocks } from '../tar/file-entry.js';

export interface TailFile {
  readonly path: string;
  readonly body: Buffer;
}

/** Writes the files in order (mode 0600, owner 0/0), then the end of the archive. Resolves when all of it is taken. */
export async function writeTail(output: Output, files: readonly TailFile[], date: Date): Promise<void> {
  const about = { mode: 0o600, uid: 0, gid: 0, mtimeSeconds: Math.floor(date.getTime() / 1000) };
  for (const file of files) await output.write(encodeFileEntry({ ...file, ...about }));
  await output.write(endBlocks);
}
