/** The records of a PAX extended header (POSIX.1-2001, pax): `<length> <key>=<value>\n`, concatenated. */
import { decodeUtf8 } from './tar-header.js';

const space = 0x20;
const newline = 0x0a;
const equals = 0x3d;

/** The records with their values as bytes; undefined for anything but such records, each key once. */
export function parsePax(body: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const records = new Map<string, Buffer>();
  for (let start = 0; start < body.length;) {
    const digits = body.subarray(start, body.indexOf(space, start)).toString('latin1');
    if (!/^[1-9]\d{0,9}$/.test(digits)) return undefined;
    const end = start + Number(digits);
    if (end > body.length || body[end - 1] !== newline) return undefined;
    const record = body.subarray(start + digits.length + 1, end - 1);
    const keyBytes = record.indexOf(equals);
    const key = keyBytes < 1 ? undefined : decodeUtf8(record.subarray(0, keyBytes));
    if (key === undefined || records.has(key)) return undefined;
    records.set(key, record.subarray(keyBytes + 1));
    start = end;
  }
  return records;
}

/** The body of a PAX header. */
export function encodePax(records: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const rest = Buffer.from(` ${key}=${value}\n`);
      let length = rest.length;
      // The length includes its own digits.
      while (String(length).length + rest.length > length) length += 1;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}
