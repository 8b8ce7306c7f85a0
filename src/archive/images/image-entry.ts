/** One entry of a registry's storage, and its two forms in a tar: what archiver is given, and what a reader finds. */
import type { EntryData } from 'archiver';
import { imagePath, pathInVolume } from './image-layout.js';
import type { TarEntry } from '../tar/tar-entries.js';

export interface ImageEntry {
  /** `link` is a hard link. */
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  /** Below the volume, without a slash at either end; empty for the volume itself. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970 as PAX has them: a decimal number without trailing zeros, `1700000000.5`. */
  readonly mtime: string;
  /** Of a file; otherwise 0. */
  readonly bytes: number;
  /** Of a symlink as it is; of a hard link the path below the volume; otherwise empty. */
  readonly target: string;
  /** Extended attributes, as PAX records. */
  readonly attributes: readonly (readonly [string, string])[];
}

/** The largest numbers that tar-stream writes into a header's fields correctly; larger ones go into PAX records. */
const maxInField = { owner: 0o777777, seconds: 2 ** 31 - 1 };

/** What archiver would alter, in words; undefined where it writes the entry as it is. */
export function whyNotKept({ type, path, mode, target }: ImageEntry): string | undefined {
  if (type === 'symlink' && target.includes('\uFFFD')) return 'links to a name that is not UTF-8';
  return whyNameNotKept(path) ?? (mode === 0 && type !== 'symlink' ? 'has no permission bits at all' : undefined);
}

/** The same of a path alone; what is not UTF-8 has become U+FFFD in it. */
export function whyNameNotKept(path: string): string | undefined {
  if (path.includes('\\')) return 'has a backslash in its name';
  return path.includes('\uFFFD') ? 'has a name that is not UTF-8' : undefined;
}

/** The entry for archiver, below `root`. */
export function toEntryData(entry: ImageEntry, root: string): EntryData {
  const { type, mode, uid, gid, mtime, bytes, target, attributes } = entry;
  const seconds = Number(mtime);
  // The text is tested: a number cannot hold nanoseconds.
  const isInField = /^\d+$/.test(mtime) && seconds <= maxInField.seconds;
  const pax = Object.fromEntries([
    ...attributes,
    ...(isInField ? [] : [['mtime', mtime]]),
    ...(uid > maxInField.owner ? [['uid', String(uid)]] : []),
    ...(gid > maxInField.owner ? [['gid', String(gid)]] : []),
  ]) as Record<string, string>;
  return {
    ...{ name: imagePath(root, entry.path), type, mode },
    uid: uid > maxInField.owner ? 0 : uid,
    gid: gid > maxInField.owner ? 0 : gid,
    date: new Date(1000 * Math.min(Math.max(Math.floor(seconds), 0), maxInField.seconds)),
    linkname: target === '' ? undefined : type === 'link' ? imagePath(root, target) : target,
    pax: Object.keys(pax).length > 0 ? pax : undefined,
    // archiver reads only the size; without stats it would hold the body in memory.
    stats: { size: bytes },
    // The types lack hard links, which tar-stream writes, and want complete stats.
  } as object as EntryData;
}

/** The manifest's entry for archiver, which itself writes no time after 2038. */
export function manifestEntryData(name: string, startedAt: string): EntryData {
  const seconds = Math.floor(Date.parse(startedAt) / 1000);
  const date = new Date(1000 * Math.min(seconds, maxInField.seconds));
  const pax = seconds > maxInField.seconds ? { mtime: String(seconds) } : undefined;
  return { name, mode: 0o600, date, pax } as object as EntryData;
}

/** The manifest's time; undefined where its header is not as `manifestEntryData` makes it. */
export function manifestTime(entry: TarEntry): number | undefined {
  const { type, mode, uid, gid, isPlain, linkName, records } = entry;
  const isOwn = isPlain && type === '0' && mode === 0o600 && uid === 0 && gid === 0 && linkName === '';
  const mtime = records.get('mtime') ?? String(entry.mtimeSeconds);
  // archiver repeats the path in each PAX header.
  const isKnown = [...records.keys()].every((key) => key === 'mtime' || key === 'path');
  return isOwn && isKnown && /^\d+$/.test(mtime) ? Number(mtime) : undefined;
}

/** The PAX records that `toEntryData` and archiver write; the entry's checksum covers all of them. */
const ownRecords = /^(?:path|linkpath|size|mtime|SCHILY\.xattr\..+)$/s;

/**
 * Whether its header holds nothing that the checksum does not cover: tar programs would unpack other owners, times or
 * access rights after a record (`uname`, `SCHILY.acl.access`) that is not in the entry.
 */
export function hasOwnHeader({ isPlain, path, kind, records }: TarEntry): boolean {
  const isOwnRecord = ([key, value]: readonly [string, string]): boolean =>
    key === 'uid' || key === 'gid' ? /^(?:0|[1-9]\d*)$/.test(value) : ownRecords.test(key);
  return isPlain && path.endsWith('/') === (kind === 'directory') && [...records].every(isOwnRecord);
}

/** Undefined for what is not a file, directory or link. */
export function imageEntryType({ kind, type }: TarEntry): ImageEntry['type'] | undefined {
  if (kind !== 'other') return kind;
  return type === '1' ? 'link' : type === '2' ? 'symlink' : undefined;
}

type ReadEntry =
  | { readonly kind: 'entry'; readonly entry: ImageEntry }
  /** In words that follow the path. */
  | { readonly kind: 'fault'; readonly why: string };

/** The image entry of a tar's entry. `within` gives the path below the volume of a path in the tar, undefined outside. */
export function fromTarEntry(found: TarEntry, within: (path: string) => string | undefined): ReadEntry {
  const type = imageEntryType(found);
  const path = within(found.path.replace(/\/$/, ''));
  if (found.type === 'S') return fault('is a sparse file: these are not supported, use tar without -S');
  if (type === undefined) return fault('is not a file, directory or link');
  if (path === undefined || isUnsafe(path)) return fault('is outside the volume');
  const target = type === 'link' ? within(found.linkName) : type === 'symlink' ? found.linkName : '';
  if (target?.includes('\0') === true) return fault('links to a name with a NUL in it');
  if (target === undefined || (type === 'link' && isUnsafe(target))) return fault('links out of the volume');
  const [uid, gid] = (['uid', 'gid'] as const).map((key) => Number(found.records.get(key) ?? found[key]));
  const mtime = decimal(found.records.get('mtime') ?? String(found.mtimeSeconds));
  if (mtime === undefined || !Number.isSafeInteger(uid) || !Number.isSafeInteger(gid))
    return fault('has an owner or a time in its PAX header that is not a number');
  const attributes = [...found.records].filter(([key]) => key.startsWith('SCHILY.xattr.'));
  const bytes = type === 'file' ? found.bytes : 0;
  const mode = found.mode & 0o7777;
  return { kind: 'entry', entry: { type, path, mode, uid: uid ?? 0, gid: gid ?? 0, mtime, bytes, target, attributes } };
}

function fault(why: string): ReadEntry {
  return { kind: 'fault', why };
}

/** For `fromTarEntry`, of an archive with this root. */
export function withinRoot(root: string): (path: string) => string | undefined {
  return (path) => pathInVolume(root, path);
}

function isUnsafe(path: string): boolean {
  return path !== '' && path.split('/').some((part) => ['', '.', '..'].includes(part) || part.includes('\0'));
}

/** Without trailing zeros in the fraction; undefined for what is not a decimal number. */
export function decimal(text: string): string | undefined {
  const [, whole, fraction = ''] = /^(-?\d{1,15})(?:\.(\d{1,30}))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const significant = fraction.replace(/0+$/, '');
  return significant === '' ? whole : `${whole}.${significant}`;
}
