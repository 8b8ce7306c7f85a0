/** Takes a tar of ours apart into its entries, and makes entries that our writer would not. */
import { pack, type Pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';

export type EntryHeader = Parameters<Pack['entry']>[0];

export interface RawEntry {
  readonly name: string;
  /** Header, body and padding. */
  readonly bytes: Buffer;
}

/** The entries of an archive of plain ustar headers; what follows them is `rest`, which begins with the end blocks. */
export function splitEntries(archive: Buffer): { entries: RawEntry[]; rest: Buffer } {
  const entries: RawEntry[] = [];
  let at = 0;
  while (archive[at] !== 0) {
    const name = archive.toString('utf8', at, archive.indexOf(0, at));
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8);
    const end = at + 512 + Math.ceil(size / 512) * 512;
    entries.push({ name, bytes: archive.subarray(at, end) });
    at = end;
  }
  return { entries, rest: archive.subarray(at) };
}

/** The archive again, of these entries. */
export function joinEntries(entries: readonly RawEntry[], rest: Buffer): Buffer {
  return Buffer.concat([...entries.map(({ bytes }) => bytes), rest]);
}

/** One entry made by tar-stream, without end blocks. */
export async function foreignEntry(headers: EntryHeader, body = ''): Promise<RawEntry> {
  return { name: headers.name, bytes: (await foreignTar([[headers, body]])).subarray(0, -1024) };
}

/** A tar made by tar-stream. */
export async function foreignTar(entries: readonly (readonly [EntryHeader, string?])[]): Promise<Buffer> {
  const tar = pack();
  for (const [headers, body] of entries) tar.entry(headers, body ?? '');
  tar.finalize();
  return buffer(tar);
}

/** The header of a directory, which tar-stream takes long to make. */
export function directoryHeader(name: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write('0000755\0' + '0000000\0'.repeat(2) + '00000000000\0'.repeat(2), 100);
  header.write('5', 156);
  header.write('ustar\x0000', 257);
  return withChecksum(header, 0);
}

/** Sets bytes of a header and mends its checksum. */
export function alterHeader(archive: Buffer, headerAt: number, at: number, text: string): Buffer {
  const altered = Buffer.from(archive);
  altered.write(text, headerAt + at, 'latin1');
  return withChecksum(altered, headerAt);
}

function withChecksum(archive: Buffer, headerAt: number): Buffer {
  archive.fill(0x20, headerAt + 148, headerAt + 156);
  let sum = 0;
  for (let at = headerAt; at < headerAt + 512; at += 1) sum += archive[at] ?? 0;
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, headerAt + 148, 'latin1');
  return archive;
}
