/**
 * Extended headers (PAX, GNU long names), which come before an entry and say what its header has no room for. Whatever could
 * make a tar program unpack something else than what is read here is a finding.
 */
import type { FindingSink } from '../../model/finding.js';
import { printable } from '../../base/printable.js';
import { decodeUtf8, hasOwnValues, type TarHeader } from './tar-header.js';

/** What an extended header changes of the entry that follows it. */
export interface Extension {
  readonly path?: string;
  readonly bytes?: number;
  readonly linkName?: string;
  readonly records?: ReadonlyMap<string, string>;
  readonly mtimeSeconds: number;
  /** Whether it is one PAX header, for one entry, whose own block is plain. */
  readonly isPlain: boolean;
  readonly isOwn: boolean;
}

export function isExtension({ type }: TarHeader): boolean {
  return ['x', 'g', 'L', 'K'].includes(type);
}

export function isGnuName({ type }: TarHeader): boolean {
  return type === 'L' || type === 'K';
}

/**
 * Whether an extended header of this type may follow those before one entry: tar programs differ on two of a kind, and on
 * which of GNU's and PAX's names counts.
 */
export function isAmongOthers(type: string, before: readonly string[]): boolean {
  const isPaxOf = (one: string): boolean => one === 'x' || one === 'g';
  return !before.some((other) => other === type || isPaxOf(other) !== isPaxOf(type));
}

export function gnuNameExtension(
  { type, path, mtimeSeconds }: TarHeader,
  body: Buffer,
  findings: FindingSink,
): Extension {
  const name = decodeUtf8(body.subarray(0, -1));
  if (name === undefined || name === '' || name.includes('\0') || body.at(-1) !== 0)
    findings.add(path, 'is a malformed GNU long name');
  const named = name === undefined ? {} : type === 'L' ? { path: name } : { linkName: name };
  return { ...named, mtimeSeconds, isPlain: false, isOwn: false };
}

/** The known PAX keys: no tar program makes another file of them than what is read here. */
const knownKeys = /^(?:path|linkpath|size|[amc]time|[ug]id|[ug]name|comment|LIBARCHIVE\.creationtime)$/;
const attributeKeys =
  /^(?:(?:SCHILY|LIBARCHIVE)\.xattr|SCHILY\.acl|RHT\.security)\.|^SCHILY\.(?:dev|ino|nlink|fflags)$/;

export function paxExtension(header: TarHeader, stored: ReadonlyMap<string, Buffer>, findings: FindingSink): Extension {
  const records = decodeRecords(header, stored, findings);
  if (header.type === 'g') return globalExtension(header, records, findings);
  const path = records.get('path');
  const size = records.get('size');
  const linkName = records.get('linkpath');
  const entry = path ?? header.path;
  const unknown = [...records.keys()].find((key) => !knownKeys.test(key) && !attributeKeys.test(key));
  if (unknown?.startsWith('GNU.sparse.'))
    findings.add(entry, 'is a sparse file: these are not supported, use tar without -S');
  else if (unknown !== undefined)
    findings.add(entry, `has a record in its PAX header that not every tar program knows: ${printable(unknown)}`);
  // A negative size would lead backwards, into an endless loop.
  const isSize = size !== undefined && /^\d{1,15}$/.test(size);
  if (size !== undefined && !isSize) findings.add(entry, 'has a size in its PAX header that is no number');
  return {
    ...(path !== undefined && { path }),
    ...(isSize && { bytes: Number(size) }),
    ...(linkName !== undefined && { linkName }),
    records,
    mtimeSeconds: header.mtimeSeconds,
    isPlain: header.isPlain,
    isOwn: records.size === 1 && path !== undefined && hasOwnValues(header, '0'),
  };
}

/** The records as text. To tar programs a NUL ends a text, and to some of them an empty one does not count. */
function decodeRecords(
  header: TarHeader,
  stored: ReadonlyMap<string, Buffer>,
  findings: FindingSink,
): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (const [key, bytes] of stored) {
    const text = decodeUtf8(bytes);
    if (text === undefined) findings.add(printable(bytes.toString()), `is in a PAX header (${key}) and is not UTF-8`);
    else records.set(key, text);
    if (text === undefined || key === 'comment' || attributeKeys.test(key)) continue;
    if (text.includes('\0') || (text === '' && key !== 'size'))
      findings.add(
        text === '' ? header.path : text,
        `is the ${key} in a PAX header, which not every tar program takes`,
      );
  }
  return records;
}

/** A global header may have comments, as git's do; anything else would apply to every entry that follows. */
function globalExtension(
  { path, mtimeSeconds }: TarHeader,
  records: ReadonlyMap<string, string>,
  findings: FindingSink,
): Extension {
  if ([...records.keys()].some((key) => key !== 'comment'))
    findings.add(path, 'is a PAX header that applies to every entry after it');
  return { mtimeSeconds, isPlain: false, isOwn: false };
}
