/** Entries and the extended headers before them, and what our reader makes of them. */
import { Findings } from '#src/archive/verify/findings.js';
import { ByteSource } from '#src/archive/tar/byte-source.js';
import { TarEntries, type TarEntry } from '#src/archive/tar/tar-entries.js';
import { inputOf, lines } from './sample.js';
import { alterHeader, foreignEntry } from './tar-blocks.js';

const end = Buffer.alloc(1024);

/** A record of this type, its header as GNU tar or as POSIX has it. */
export async function record(
  type: string,
  body: string,
  form: 'gnu' | 'posix' = 'posix',
  name = 'record',
): Promise<Buffer> {
  const { bytes } = await foreignEntry({ name }, body);
  const typed = alterHeader(bytes, 0, 156, type);
  return form === 'gnu' ? alterHeader(typed, 0, 257, 'ustar  \0') : typed;
}

export const gnuName = (type: 'L' | 'K', body: string): Promise<Buffer> => record(type, body, 'gnu', '././@LongLink');

export function paxBody(records: Readonly<Record<string, string>>): string {
  const parts = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length;
    // It counts its own digits.
    while (String(length).length + rest.length > length) length += 1;
    return `${length}${rest}`;
  });
  return parts.join('');
}

/** All entries with their bodies passed over, and what is wrong with them; ends a reader that goes round in circles. */
export async function readEntries(parts: readonly Buffer[]): Promise<{ entries: TarEntry[]; found: string[] }> {
  const findings = new Findings();
  const tar = new TarEntries(new ByteSource(inputOf(Buffer.concat([...parts, end]), 700).chunks), findings);
  const entries: TarEntry[] = [];
  for (let entry = await tar.next(); entry !== undefined; entry = await tar.next()) {
    entries.push(entry);
    if (entries.length > 10) throw new Error('there are not so many entries');
    await tar.body(entry);
  }
  return { entries, found: lines({ findings: findings.first }) };
}
