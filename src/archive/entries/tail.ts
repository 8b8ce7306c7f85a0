/**
 * The end of an archive, written by archiver: files whose names are not ours (certificates), the manifest, and the
 * two zero blocks. Only a finished backup gets one.
 */
import type { Output } from '../io/output.js';

export interface TailFile {
  readonly path: string;
  readonly body: Buffer;
}

/** Writes the files in order (mode 0600, owner 0/0), then the end of the archive. Resolves when all of it is taken. */
export async function writeTail(output: Output, files: readonly TailFile[], date: Date): Promise<void> {
  // A tenth of a second to load, and nothing but a finished archive needs it.
  const { TarArchive } = await import('archiver');
  const archive = new TarArchive();
  // Bodies are Buffers: archiver would hold a stream of unknown size whole in memory to learn its size.
  for (const { path, body } of files) archive.append(body, { name: path, mode: 0o600, date });
  const finalized = archive.finalize();
  // Pulled by hand, not piped: a sink that fails inside a pipeline from archiver takes the process down.
  finalized.catch(() => undefined);
  for await (const chunk of archive) {
    try {
      await output.write(chunk as Buffer);
    } catch (error) {
      // The loop destroys the archive, and an entry that archiver still has in its queue would throw at nobody then.
      archive.abort();
      throw error;
    }
  }
  await finalized;
}
