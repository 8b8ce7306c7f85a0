/** What an open file descriptor is: its kind, and, where /proc tells, how it was opened and where it stands. */
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
   * Whether it is a /dev/null such as Node opens in place of a descriptor that it finds closed at its start; also a
   * /dev/null of which /proc does not tell how it was opened.
   */
  readonly mayBeClosed: boolean;
  /** How it was opened; undefined where /proc does not tell. */
  readonly access: 'read' | 'write' | 'both' | undefined;
  /** Whether every write goes to the end of the file (`>>`). */
  readonly appends: boolean;
  /** Where the next read or write takes place; undefined where /proc does not tell. */
  readonly position: number | undefined;
  readonly sizeBytes: number;
  /** The same for two descriptors of one file, pipe or device. */
  readonly identity: string;
}

export function describeDescriptor(fd: number): Descriptor {
  const stats = statOf(fd);
  const { access, appends, position } = openedAs(fd);
  const about = { access, appends, position, sizeBytes: stats?.size ?? 0 };
  if (stats === undefined) return { ...about, kind: 'closed', mayBeClosed: true, identity: '' };
  const mayBeClosed = access !== 'read' && access !== 'write' && isNullDevice(stats);
  return { ...about, kind: kindOf(fd, stats), mayBeClosed, identity: fileIdentity(stats) };
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

/**
 * Node opens /dev/null for reading and writing in place of each of the descriptors 0 to 2 that it finds closed. A shell
 * (`> /dev/null`) and systemd open it for one of the two, and so can be told from that. Daemons, containers without stdin
 * and programs that discard a child's output (Python's DEVNULL, Node's 'ignore') open it for both, and cannot.
 */
function isNullDevice(stats: Stats): boolean {
  if (!stats.isCharacterDevice()) return false;
  try {
    return stats.rdev === statSync('/dev/null').rdev;
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
