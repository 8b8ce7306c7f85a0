/** What stands in a tar before an entry and says more of it than its header has room for: PAX headers, GNU long names. */
import type { FindingSink } from '../checks/findings.js';
import { decodeUtf8, hasOwnValues, type TarHeader } from './tar-header.js';

/** What an extended header says of the entry that follows it. */
export interface Extension {
  readonly path?: string;
  readonly bytes?: number;
  readonly linkName?: string;
  readonly records?: ReadonlyMap<string, string>;
  readonly mtimeSeconds: number;
  readonly isOwn: boolean;
}

export function isExtension({ type }: TarHeader): boolean {
  return ['x', 'g', 'L', 'K'].includes(type);
}

export function isGnuName({ type }: TarHeader): boolean {
  return type === 'L' || type === 'K';
}

export function gnuNameExtension(
  { type, path, mtimeSeconds }: TarHeader,
  body: Buffer,
  findings: FindingSink,
): Extension {
  const name = decodeUtf8(body.subarray(0, -1));
  if (name === undefined || name.includes('\0') || body.at(-1) !== 0)
    findings.add(path, 'is a malformed GNU long name');
  const named = name === undefined ? {} : type === 'L' ? { path: name } : { linkName: name };
  return { ...named, mtimeSeconds, isOwn: false };
}

export function paxExtension(
  header: TarHeader,
  records: ReadonlyMap<string, string>,
  findings: FindingSink,
): Extension {
  const path = records.get('path');
  const size = records.get('size');
  const linkName = records.get('linkpath');
  const isSparse = [...records.keys()].some((key) => key.startsWith('GNU.sparse.'));
  if (isSparse) findings.add(path ?? header.path, 'is a sparse file: these are not supported, use tar without -S');
  // No other is taken: a negative one leads backwards, and so round in circles.
  const isSize = size !== undefined && /^\d{1,15}$/.test(size);
  if (size !== undefined && !isSize)
    findings.add(path ?? header.path, 'has a size in its PAX header that is no number');
  if (header.type === 'g' && (path !== undefined || size !== undefined)) {
    findings.add(header.path, 'is a PAX header that gives every entry the same name or size');
  }
  return {
    ...(path !== undefined && { path }),
    ...(isSize && { bytes: Number(size) }),
    ...(linkName !== undefined && { linkName }),
    records,
    mtimeSeconds: header.mtimeSeconds,
    isOwn: header.type === 'x' && records.size === 1 && path !== undefined && hasOwnValues(header, '0'),
  };
}
