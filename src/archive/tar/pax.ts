/** The records of a PAX extended header (POSIX.1-2001, pax): `<length> <key>=<value>\n`, one after the other. */
import { decodeUtf8 } from './tar-header.js';

const space = 0x20;
const newline = 0x0a;

/** The records, or undefined when the bytes are not exactly such records, each key once. */
export function parsePax(body: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let start = 0; start < body.length;) {
    const digits = body.subarray(start, body.indexOf(space, start)).toString('latin1');
    if (!/^[1-9]\d{0,9}$/.test(digits)) return undefined;
    const end = start + Number(digits);
    if (end > body.length || body[end - 1] !== newline) return undefined;
    const [, key, value] =
      /^([^=]+)=(.*)$/s.exec(decodeUtf8(body.subarray(start + digits.length + 1, end - 1)) ?? '') ?? [];
    if (key === undefined || value === undefined || records.has(key)) return undefined;
    records.set(key, value);
    start = end;
  }
  return records;
}
