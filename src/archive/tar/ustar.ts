/**
 * Tar headers (POSIX ustar) for names that are ours: short, ASCII, made by the million. A header is built once per
 * directory and only number, size and checksum change from entry to entry.
 */

export const blockBytes = 512;

/** The `name` and `prefix` fields of a header: a path that fits neither is refused before the first byte. */
export const nameFieldBytes = 100;
export const prefixFieldBytes = 155;

/** Room that a path must leave for an entry's number: 2^53 has 16 digits. */
const numberDigits = 16;

/** The fields of a header: offset and length, from POSIX.1-1988 (ustar interchange format). */
export const headerField = {
  name: { at: 0, bytes: nameFieldBytes },
  mode: { at: 100, bytes: 8 },
  uid: { at: 108, bytes: 8 },
  gid: { at: 116, bytes: 8 },
  size: { at: 124, bytes: 12 },
  mtime: { at: 136, bytes: 12 },
  checksum: { at: 148, bytes: 8 },
  type: { at: 156, bytes: 1 },
  linkName: { at: 157, bytes: 100 },
  /** With the version, two digits. */
  magic: { at: 257, bytes: 8 },
  uname: { at: 265, bytes: 32 },
  gname: { at: 297, bytes: 32 },
  devMajor: { at: 329, bytes: 8 },
  devMinor: { at: 337, bytes: 8 },
  prefix: { at: 345, bytes: prefixFieldBytes },
  rest: { at: 500, bytes: 12 },
} as const;

const octalDigits = { short: 7, long: 11, checksum: 6 };
const space = 0x20;
const zero = 0x30;

/** The largest body a plain header can announce: eleven octal digits. */
export const maxBodyBytes = 8 ** octalDigits.long - 1;

/** The latest time a plain header can tell, in 2242: eleven octal digits of seconds since 1970. */
export const latestSeconds = 8 ** octalDigits.long - 1;

/** The largest owner a plain header can tell: seven octal digits. */
export const maxOwnerId = 8 ** octalDigits.short - 1;

/** Bytes of zeros that follow a body of this size. */
export function paddingBytes(bodyBytes: number): number {
  return (blockBytes - (bodyBytes % blockBytes)) % blockBytes;
}

/**
 * The header of a directory: mode 0700, owner 0/0, time 0. `path` ends in a slash; what leads to its last name moves
 * to the prefix field when the name field has no room for the whole.
 */
export function directoryHeader(path: string): Buffer {
  const fitsName = Buffer.byteLength(path) <= nameFieldBytes;
  const nameAt = fitsName ? 0 : path.lastIndexOf('/', path.length - 2) + 1;
  const prefix = path.slice(0, Math.max(0, nameAt - 1));
  return fullHeader({ path: path.slice(nameAt), prefix, mode: 0o700, mtimeSeconds: 0, type: '5' }, 0);
}

/** Writes the headers of one directory's numbered files, mode 0600, owner 0/0, and recognises them. */
export class NumberedFileHeaders {
  readonly #expected = Buffer.alloc(blockBytes);
  readonly #template: Buffer;
  /** Where the number goes in the name field. */
  readonly #numberAt: number;
  readonly #templateSum: number;

  /** `directory` ends in a slash. */
  constructor(directory: string, mtimeSeconds: number) {
    // Kept in the name field while the number has room there; moved to the prefix field, whole, when it has not.
    const fitsName = Buffer.byteLength(directory) + numberDigits <= nameFieldBytes;
    const prefix = fitsName ? '' : directory.slice(0, -1);
    this.#numberAt = fitsName ? Buffer.byteLength(directory) : 0;
    this.#template = blankHeader({ path: fitsName ? directory : '', prefix, mode: 0o600, mtimeSeconds, type: '0' });
    this.#templateSum = byteSum(this.#template, 0, blockBytes) + checksumFieldSum;
  }

  /** Writes the 512 bytes of entry `number`'s header into `target` at `offset`. */
  write(target: Buffer, offset: number, number: number, bodyBytes: number): void {
    if (bodyBytes > maxBodyBytes) throw new RangeError(`a body of ${bodyBytes} bytes does not fit a tar header`);
    this.#template.copy(target, offset);
    const digits = target.write(String(number), offset + this.#numberAt, 'latin1');
    writeOctal(target, offset + headerField.size.at, octalDigits.long, bodyBytes);
    const numberSum = byteSum(target, offset + this.#numberAt, digits);
    const sizeSum = byteSum(target, offset + headerField.size.at, octalDigits.long);
    writeChecksum(target, this.#templateSum + numberSum + sizeSum, offset);
  }

  /** The body's bytes when `source` holds entry `number`'s header at `offset`, equal in every byte; otherwise undefined. */
  recognise(source: Buffer, offset: number, number: number): number | undefined {
    const bodyBytes = readOctal(source, offset + headerField.size.at, octalDigits.long);
    if (bodyBytes === undefined) return undefined;
    this.write(this.#expected, 0, number, bodyBytes);
    return this.#expected.compare(source, offset, offset + blockBytes) === 0 ? bodyBytes : undefined;
  }
}

interface HeaderFields {
  readonly path: string;
  readonly prefix?: string;
  readonly mode: number;
  /** 0 when left out. */
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeSeconds: number;
  readonly type: '0' | '5' | 'x';
}

/** While the checksum is computed, its own eight bytes count as spaces. */
const checksumFieldSum = 8 * space;

/** One header, whole. Throws a RangeError for a value that its field has no room for. */
export function fullHeader(fields: HeaderFields, bodyBytes: number): Buffer {
  if (bodyBytes > maxBodyBytes) throw new RangeError(`a body of ${bodyBytes} bytes does not fit a tar header`);
  const header = blankHeader(fields);
  writeOctal(header, headerField.size.at, octalDigits.long, bodyBytes);
  writeChecksum(header, byteSum(header, 0, blockBytes) + checksumFieldSum);
  return header;
}

function blankHeader({ path, prefix = '', mode, uid = 0, gid = 0, mtimeSeconds, type }: HeaderFields): Buffer {
  if (Buffer.byteLength(path) > nameFieldBytes || Buffer.byteLength(prefix) > prefixFieldBytes) {
    throw new RangeError(`path too long for a tar header: ${prefix}/${path}`);
  }
  if (!(mtimeSeconds >= 0 && mtimeSeconds <= latestSeconds)) {
    throw new RangeError(`${mtimeSeconds} seconds since 1970 do not fit a tar header`);
  }
  const header = Buffer.alloc(blockBytes);
  header.write(path, 0);
  writeOctal(header, headerField.mode.at, octalDigits.short, mode);
  writeOctal(header, headerField.uid.at, octalDigits.short, uid);
  writeOctal(header, headerField.gid.at, octalDigits.short, gid);
  writeOctal(header, headerField.mtime.at, octalDigits.long, mtimeSeconds);
  header.write(type, headerField.type.at);
  header.write('ustar\u000000', headerField.magic.at);
  header.write(prefix, headerField.prefix.at);
  return header;
}

/** Octal digits with leading zeros; the field's NUL at the end is already there. */
function writeOctal(target: Buffer, offset: number, digits: number, value: number): void {
  let rest = value;
  for (let index = offset + digits - 1; index >= offset; index -= 1) {
    target[index] = zero + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

function readOctal(source: Buffer, offset: number, digits: number): number | undefined {
  let value = 0;
  for (let index = offset; index < offset + digits; index += 1) {
    const digit = (source[index] ?? 0) - zero;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return value;
}

/** Six octal digits, a NUL and a space: the form every tar reader takes. */
function writeChecksum(target: Buffer, sum: number, offset = 0): void {
  writeOctal(target, offset + headerField.checksum.at, octalDigits.checksum, sum);
  target[offset + headerField.checksum.at + octalDigits.checksum] = 0;
  target[offset + headerField.checksum.at + octalDigits.checksum + 1] = space;
}

function byteSum(bytes: Buffer, offset: number, length: number): number {
  let sum = 0;
  for (let index = offset; index < offset + length; index += 1) sum += bytes[index] ?? 0;
  return sum;
}
