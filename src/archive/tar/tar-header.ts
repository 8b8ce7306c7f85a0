/**
 * A tar header block, parsed strictly: what POSIX ustar, GNU tar and libarchive write is accepted, and every byte of it is
 * checked.
 */
import { blockBytes, headerField } from './ustar.js';

export interface TarHeader {
  /** Prefix and name field together; not to be trusted. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the body that follows. */
  readonly bytes: number;
  readonly mtimeSeconds: number;
  /** The type flag as a character. */
  readonly type: string;
  /** What a link points to; not to be trusted. */
  readonly linkName: string;
  /** Whether owner names and device numbers are empty, the magic is that of ustar, and the checksum has six digits. */
  readonly isPlain: boolean;
}

const zeroBlock = Buffer.alloc(blockBytes);
const space = 0x20;

export function isZeroBlock(block: Buffer): boolean {
  return block.equals(zeroBlock);
}

/** Parses the 512 bytes; undefined when they are not a tar header, or its checksum does not match. */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
  const magic = fieldOf(block, headerField.magic).toString('latin1');
  if (magic !== 'ustar\u000000' && magic !== 'ustar  \u0000') return undefined;
  const isUstar = magic === 'ustar\u000000';
  // The checksum does not cover its own field: only its form protects the last two bytes, NUL and blank in either order.
  const checksumText = fieldOf(block, headerField.checksum).toString('latin1');
  const checksum = /^ *([0-7]+)(?:\0 | \0)$/.exec(checksumText)?.[1];
  if (checksum === undefined || Number.parseInt(checksum, 8) !== checksumOf(block)) return undefined;
  const numbers = {
    mode: number(block, headerField.mode),
    uid: number(block, headerField.uid),
    gid: number(block, headerField.gid),
    bytes: number(block, headerField.size),
    mtimeSeconds: negative(block, headerField.mtime) ?? number(block, headerField.mtime),
  };
  const name = text(block, headerField.name);
  // GNU's own header keeps other things (times, sparse maps) where ustar has its prefix.
  const prefix = isUstar ? text(block, headerField.prefix) : '';
  const linkName = text(block, headerField.linkName);
  if (!allKnown(numbers) || name === undefined || prefix === undefined || linkName === undefined) return undefined;
  const isRestEmpty = [headerField.uname, headerField.gname, headerField.rest].every((field) =>
    fieldOf(block, field).every((byte) => byte === 0),
  );
  const areDevicesZero = [headerField.devMajor, headerField.devMinor].every((field) => number(block, field) === 0);
  return {
    ...numbers,
    path: prefix === '' ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block.readUInt8(headerField.type.at)),
    linkName,
    // With a blank for the leading zero, an altered bit would go unnoticed.
    isPlain: isUstar && isRestEmpty && areDevicesZero && /^[0-7]{6}(?:\0 | \0)$/.test(checksumText),
  };
}

/** Whether each field has the one value that FORMAT.md (Headers) allows. `type` is that of the entry the header belongs to. */
export function hasOwnValues(header: TarHeader, type: string): boolean {
  const { isPlain, linkName, mode, uid, gid, bytes, mtimeSeconds } = header;
  if (!isPlain || linkName !== '' || uid !== 0 || gid !== 0) return false;
  return type === '5' ? mode === 0o700 && mtimeSeconds === 0 && bytes === 0 : type === '0' && mode === 0o600;
}

interface Field {
  readonly at: number;
  readonly bytes: number;
}

function fieldOf(block: Buffer, { at, bytes }: Field): Buffer {
  return block.subarray(at, at + bytes);
}

/** UTF-8 up to the first NUL; undefined when something follows the NUL or it is no UTF-8. */
function text(block: Buffer, field: Field): string | undefined {
  const bytes = fieldOf(block, field);
  const end = bytes.indexOf(0);
  if (end === -1) return decodeUtf8(bytes);
  return bytes.subarray(end).every((byte) => byte === 0) ? decodeUtf8(bytes.subarray(0, end)) : undefined;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of UTF-8 bytes, or undefined where they are none. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Octal digits, blanks before and NULs or blanks after; none at all is 0 only where a NUL says so, as blanks alone are an
 * error to GNU tar. Its binary form for large numbers, too.
 */
function number(block: Buffer, field: Field): number | undefined {
  const bytes = fieldOf(block, field);
  if (bytes[0] === 0x80) {
    const value = BigInt(`0x${bytes.subarray(1).toString('hex')}`);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
  }
  const digits = /^ *([0-7]+|(?=\0))[ \0]*$/.exec(bytes.toString('latin1'))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits || '0', 8);
}

/** A time before 1970 in GNU's binary form; undefined for anything else. */
function negative(block: Buffer, field: Field): number | undefined {
  const bytes = fieldOf(block, field);
  if (bytes[0] !== 0xff) return undefined;
  const value = BigInt.asIntN(8 * field.bytes, BigInt(`0x${bytes.toString('hex')}`));
  return value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : undefined;
}

function checksumOf(block: Buffer): number {
  const { at, bytes } = headerField.checksum;
  let sum = bytes * space;
  for (let index = 0; index < blockBytes; index += 1) {
    if (index < at || index >= at + bytes) sum += block[index] ?? 0;
  }
  return sum;
}

function allKnown(
  numbers: Readonly<Record<'mode' | 'uid' | 'gid' | 'bytes' | 'mtimeSeconds', number | undefined>>,
): numbers is Readonly<Record<keyof typeof numbers, number>> {
  return Object.values(numbers).every((value) => value !== undefined);
}

/** The name of a type flag that is neither a file's nor a directory's. */
export function typeName(type: string): string {
  return otherTypes[type] ?? `of unknown type ${JSON.stringify(type)}`;
}

const otherTypes: Readonly<Record<string, string>> = {
  1: 'a hard link',
  2: 'a symbolic link',
  3: 'a character device',
  4: 'a block device',
  6: 'a FIFO',
  S: 'a sparse file',
};
