/** What an open file descriptor is: its kind and, from /proc, how it was opened and its position. */
import { fstatSync, readFileSync, statSync, type Stats } from 'node:fs';
import { isatty } from 'node:tty';
import { errorCode } from '../base/errors.js';

export interface Descriptor {
  readonly kind:
    | 'closed'
    | 'regular file'
    | 'directory'
    | 'terminal'
    | 'character device'
    | 'block device'
    | 'pipe'
    | 'socket'
    | 'unknown kind of file';
  /**
   * Whether it may be the /dev/null that Node opens, for reading and writing, in place of each of the descriptors 0 to 2
   * that is closed at its start. A shell (`> /dev/null`) and systemd open /dev/null for one of the two only. Daemons,
   * containers without stdin, Python's DEVNULL and Node's 'ignore' open it for both, and look the same.
   */
  readonly mayBeClosed: boolean;
  /** How it was opened; undefined without /proc. */
  readonly access: 'read' | 'write' | 'both' | undefined;
  /** Whether every write goes to the end of the file (`>>`). */
  readonly appends: boolean;
  /** Of the next read or write; undefined without /proc. */
  readonly position: number | undefined;
  readonly sizeBytes: number;
  /** The same for two descriptors of one file, pipe or device. */
  readonly identity: string;
}

export function describeDescriptor(fd: number): Descriptor {
  const stats = statOf(fd);
  const opened = openedAs(fd);
  if (stats === undefined) return { ...opened, kind: 'closed', mayBeClosed: true, sizeBytes: 0, identity: '' };
  const mayBeClosed = opened.access !== 'read' && opened.access !== 'write' && isNullDevice(stats);
  return { ...opened, kind: kindOf(fd, stats), mayBeClosed, sizeBytes: stats.size, identity: fileIdentity(stats) };
}

/** The same for two paths or descriptors of one file. */
export function fileIdentity({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

function statOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch (error) {
    if (errorCode(error) === 'EBADF') return undefined;
    throw error;
  }
}

function isNullDevice(stats: Stats): boolean {
  try {
    return stats.isCharacterDevice() && stats.rdev === statSync('/dev/null').rdev;
  } catch {
    return false;
  }
}

function kindOf(fd: number, stats: Stats): Descriptor['kind'] {
  if (stats.isFile()) return 'regular file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isBlockDevice()) return 'block device';
  if (stats.isFIFO()) return 'pipe';
  if (stats.isSocket()) return 'socket';
  if (isatty(fd)) return 'terminal';
  return stats.isCharacterDevice() ? 'character device' : 'unknown kind of file';
}

/** From Linux's /proc/self/fdinfo (proc(5)): `flags` are those of open(2), in octal. */
function openedAs(fd: number): Pick<Descriptor, 'access' | 'appends' | 'position'> {
  let text: string;
  try {
    text = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  } catch {
    return { access: undefined, appends: false, position: undefined };
  }
  const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(text)?.[1] ?? '', 8);
  const position = /^pos:\s*(\d+)/m.exec(text)?.[1];
  return {
    access: (['read', 'write', 'both'] as const)[flags & 3],
    appends: (flags & 0o2000) !== 0,
    position: position === undefined ? undefined : Number(position),
  };
}
