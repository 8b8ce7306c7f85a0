/** Reads a tar with tar-stream, as a judge independent of our own code. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract, type Header } from 'tar-stream';

export interface TarEntry {
  readonly header: Header;
  readonly body: Buffer;
}

export async function readTarEntries(tar: Buffer): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const reader = extract();
  Readable.from([tar]).pipe(reader);
  for await (const entry of reader) entries.push({ header: entry.header, body: await buffer(entry) });
  return entries;
}
