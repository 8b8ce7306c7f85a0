/**
 * Entries of single files with any name and owner (certificates, the manifest), after a PAX header for what a plain header
 * cannot hold. Not by archiver: it turns a backslash into `/`, loses a name that ends in one, and writes no time after 2038.
 */
import { encodePax } from './pax.js';
import { blockBytes, fullHeader, maxOwnerId, paddingBytes, nameFieldBytes } from './ustar.js';

export interface FileEntry {
  readonly path: string;
  readonly body: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** 0 to `latestSeconds`. */
  readonly mtimeSeconds: number;
}

/** Two blocks of zeros. */
export const endBlocks: Buffer = Buffer.alloc(2 * blockBytes);

/** In the name field where the PAX header holds the name. */
const paxHeaderName = 'PaxHeader';

/** Header, body and padding. Throws a RangeError for a value that no header holds. */
export function encodeFileEntry({ path, body, mode, uid, gid, mtimeSeconds }: FileEntry): Buffer {
  const isPlainPath = Buffer.byteLength(path) === path.length && path.length <= nameFieldBytes;
  const records: [string, string][] = [];
  if (!isPlainPath) records.push(['path', path]);
  if (uid > maxOwnerId) records.push(['uid', String(uid)]);
  if (gid > maxOwnerId) records.push(['gid', String(gid)]);
  const owner = { uid: uid > maxOwnerId ? 0 : uid, gid: gid > maxOwnerId ? 0 : gid };
  const name = isPlainPath ? path : paxHeaderName;
  const file = withPadding(fullHeader({ path: name, mode, ...owner, mtimeSeconds, type: '0' }, body.length), body);
  if (records.length === 0) return Buffer.concat(file);
  const pax = encodePax(records);
  const header = fullHeader({ path: paxHeaderName, mode: 0o600, mtimeSeconds, type: 'x' }, pax.length);
  return Buffer.concat([...withPadding(header, pax), ...file]);
}

function withPadding(header: Buffer, body: Buffer): Buffer[] {
  return [header, body, endBlocks.subarray(0, paddingBytes(body.length))];
}
