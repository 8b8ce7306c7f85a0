/** One entry of a registry's storage, and its two forms in a tar: what archiver is given, and what a reader finds. */
import type { EntryData } from 'archiver';
import { imagePath, pathInVolume } from './image-layout.js';
import type { TarEntry } from '../tar/tar-entries.js';

export interface ImageEntry {
  /** `link` is a hard link. */
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  /** Below the volume, without a slash at either end; that of the volume itself is empty. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, a decimal number with no zeros at its end, as PAX has it: `1700000000.5`. */
  readonly mtime: string;
  /** Of a file; 0 for anything else. */
  readonly bytes: number;
  /** Of a symlink as it stands; of a hard link the path below the volume. Else empty. */
  readonly target: string;
  /** Extended attributes, as PAX records. */
  readonly attributes: readonly (readonly [string, string])[];
}

/** The largest numbers that tar-stream writes into a header's fields whole: beyond them, PAX says it. */
const maxInField = { owner: 0o777777, seconds: 2 ** 31 - 1 };

/** What archiver would alter, in words; undefined where the entry is written as it is. */
export function whyNotKept({ type, path, mode, target }: ImageEntry): string | undefined {
  if (type === 'symlink' && target.includes('\uFFFD')) return 'links to a name that is not UTF-8';
  return whyNameNotKept(path) ?? (mode === 0 && type !== 'symlink' ? 'has no permission bits at all' : undefined);
}

/** The same of a path alone, in which what is not UTF-8 has become U+FFFD. */
export function whyNameNotKept(path: string): string | undefined {
  if (path.includes('\\')) return 'has a backslash in its name';
  return path.includes('\uFFFD') ? 'has a name that is not UTF-8' : undefined;
}

/** The entry for archiver, below `root`. */
export function toEntryData(entry: ImageEntry, root: string): EntryData {
  const { type, mode, uid, gid, mtime, bytes, target, attributes } = entry;
  const seconds = Number(mtime);
  // Asked of the text: a number has no room for a nanosecond.
  const isInField = /^\d+$/.test(mtime) && seconds <= maxInField.seconds;
  const pax = Object.fromEntries([
    ...attributes,
    ...(isInField ? [] : [['mtime', mtime]]),
    ...(uid > maxInField.owner ? [['uid', String(uid)]] : []),
    ...(gid > maxInField.owner ? [['gid', String(gid)]] : []),
  ]) as Record<string, string>;
  const linkname = type === 'link' ? imagePath(root, target) : target;
  return {
    ...{ name: imagePath(root, entry.path), type, mode },
    uid: uid > maxInField.owner ? 0 : uid,
    gid: gid > maxInField.owner ? 0 : gid,
    date: new Date(1000 * Math.min(Math.max(Math.floor(seconds), 0), maxInField.seconds)),
    ...(linkname !== '' && { linkname }),
    ...(Object.keys(pax).length > 0 && { pax }),
    // All that archiver asks of the stats is the size; without them it would hold the body whole in memory.
    stats: { size: bytes },
    // Its types know neither hard links, which tar-stream below it writes, nor stats of which only the size is known.
  } as object as EntryData;
}

/** The manifest's entry for archiver, which by itself writes no time after 2038. */
export function manifestEntryData(name: string, startedAt: string): EntryData {
  const seconds = Math.floor(Date.parse(startedAt) / 1000);
  const date = new Date(1000 * Math.min(seconds, maxInField.seconds));
  const pax = { pax: { mtime: String(seconds) } };
  return { name, mode: 0o600, date, ...(seconds > maxInField.seconds && pax) } as object as EntryData;
}

/** The manifest's time; undefined where its header has something that `manifestEntryData` never says. */
export function manifestTime({
  type,
  mode,
  uid,
  gid,
  isPlain,
  linkName,
  records,
  ...entry
}: TarEntry): number | undefined {
  const isOwn = isPlain && type === '0' && mode === 0o600 && uid === 0 && gid === 0 && linkName === '';
  const mtime = records.get('mtime') ?? String(entry.mtimeSeconds);
  // archiver repeats the path where it writes a PAX header at all.
  const isKnown = [...records.keys()].every((key) => key === 'mtime' || key === 'path');
  return isOwn && isKnown && /^\d+$/.test(mtime) ? Number(mtime) : undefined;
}

/** What `toEntryData` and archiver say in PAX records. All of it is in the line that the proof has of an entry. */
const ownRecords = /^(?:path|linkpath|size|mtime|SCHILY\.xattr\..+)$/s;

/**
 * Whether its header says nothing that the proof does not bind: tar programs would unpack other owners, times or access
 * rights after a record (`uname`, `SCHILY.acl.access`) that is not in the entry.
 */
export function isSpelledAsOwn({ isPlain, path, kind, records }: TarEntry): boolean {
  const isOwnRecord = ([key, value]: readonly [string, string]): boolean =>
    key === 'uid' || key === 'gid' ? /^(?:0|[1-9]\d*)$/.test(value) : ownRecords.test(key);
  return isPlain && path.endsWith('/') === (kind === 'directory') && [...records].every(isOwnRecord);
}

/** The type of an entry, by its flag; undefined for what is neither file, directory nor link. */
export function imageEntryType({ kind, type }: TarEntry): ImageEntry['type'] | undefined {
  if (kind !== 'other') return kind;
  return type === '1' ? 'link' : type === '2' ? 'symlink' : undefined;
}

/**
 * The entry below `root/_data` that a tar's entry is; what is wrong with it, in words, where it is none. `within` finds
 * the path below the volume in a path of the tar.
 */
export function fromTarEntry(entry: TarEntry, within: (path: string) => string | undefined): ImageEntry | string {
  const type = imageEntryType(entry);
  const path = within(entry.path.replace(/\/$/, ''));
  if (entry.type === 'S') return 'is a sparse file: these are not supported, use tar without -S';
  if (type === undefined) return 'is neither a file nor a directory nor a link';
  if (path === undefined || isUnsafe(path)) return 'lies outside the volume';
  const target = type === 'link' ? within(entry.linkName) : type === 'symlink' ? entry.linkName : '';
  if (target?.includes('\0') === true) return 'links to a name with a NUL in it';
  if (target === undefined || (type === 'link' && isUnsafe(target))) return 'links to what lies outside the volume';
  const owner = (key: 'uid' | 'gid'): number => Number(entry.records.get(key) ?? entry[key]);
  const mtime = decimal(entry.records.get('mtime') ?? String(entry.mtimeSeconds));
  const [uid, gid] = [owner('uid'), owner('gid')];
  if (mtime === undefined || !Number.isSafeInteger(uid) || !Number.isSafeInteger(gid)) {
    return 'has an owner or a time in its PAX header that is no number';
  }
  const attributes = [...entry.records].filter(([key]) => key.startsWith('SCHILY.xattr.'));
  const bytes = type === 'file' ? entry.bytes : 0;
  return { type, path, mode: entry.mode & 0o7777, uid, gid, mtime, bytes, target, attributes };
}

/** For `fromTarEntry`, of an archive with this root. */
export function withinRoot(root: string): (path: string) => string | undefined {
  return (path) => pathInVolume(root, path);
}

function isUnsafe(path: string): boolean {
  return (
    path !== '' && path.split('/').some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))
  );
}

/** Without zeros at the end of the fraction; undefined where it is no decimal number. */
export function decimal(text: string): string | undefined {
  const [, whole, fraction = ''] = /^(-?\d{1,15})(?:\.(\d{1,30}))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const significant = fraction.replace(/0+$/, '');
  return significant === '' ? whole : `${whole}.${significant}`;
}
