/**
 * How a document is written. `reql` keeps RethinkDB's own JSON text untouched; `dtr` is the form that the vendor's
 * restore reads: compact JSON, TIME as RFC 3339 text, BINARY as base64 text (Notary's public code reads exactly that).
 *
 * RethinkDB writes pseudo-types in one way only (pseudo_time.cc, pseudo_binary.cc): members in the order of their names, no
 * blanks; within strings quotes are escaped. So they are found without parsing: numbers keep their digits, and depth does
 * not matter.
 */
import { byteTextOf, bytesOfText, type ByteText } from '../../model/byte-text.js';
import type { DocumentEncoding } from '../../model/manifest.js';

/** A document that encoding `dtr` cannot represent. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';

  /** `index` is that of the document among the lines, from 0. */
  constructor(
    readonly index: number,
    reason: string,
  ) {
    super(reason);
  }
}

/**
 * Gives documents or changes in this encoding. Both input, RethinkDB's own JSON text, and output have one newline after each.
 * Throws EncodingError.
 */
export function encodeDocuments(lines: Buffer, encoding: DocumentEncoding): Buffer {
  if (encoding === 'reql' || !lines.includes(typeName)) return lines;
  const text = byteTextOf(lines);
  return bytesOfText(text.replaceAll(pseudoType, encodeWith(text)) as ByteText);
}

const typeName = '"$reql_type$"';
const pseudoType =
  /\{"\$reql_type\$":"(?:TIME","epoch_time":(-?\d[\d.eE+-]*),"timezone":"([+-]\d\d:\d\d)"|BINARY","data":"([\w+/=\\]*)")\}|"\$reql_type\$"\s*:\s*("GEOMETRY")?/g;

function encodeWith(text: string) {
  return (found: string, seconds?: string, timezone?: string, data?: string, geometry?: string, offset = 0): string => {
    if (geometry !== undefined) return found;
    const encoded = data === undefined ? rfc3339(Number(seconds), timezone ?? '') : plainBase64(data);
    if (encoded !== undefined) return `"${encoded}"`;
    const type = seconds !== undefined ? 'a TIME' : data !== undefined ? 'BINARY' : 'a pseudo-type';
    const index = text.slice(0, offset).split('\n').length - 1;
    throw new EncodingError(index, `has ${type} that encoding dtr has no form for`);
  };
}

/** Without the line breaks that RethinkDB makes; undefined for what is not base64. */
function plainBase64(data: string): string | undefined {
  const plain = data.replaceAll(/\\[rn]/g, '');
  return plain.length % 4 === 0 && /^[A-Za-z\d+/]*={0,2}$/.test(plain) ? plain : undefined;
}

/** The years 0 to 9999. */
const calendar = { startMs: -62_167_219_200_000, endMs: 253_402_300_800_000 };

/**
 * RFC 3339 text of a RethinkDB time: seconds since 1970 with a fraction, in the zone it was stored with (`±hh:mm`).
 * Undefined beyond the years 0 to 9999 of that zone, and for an offset of a day: RethinkDB stores both, RFC 3339 has neither.
 */
export function rfc3339(epochSeconds: number, timezone: string): string | undefined {
  const [, sign, hours, minutes] = /^([+-])([01]\d|2[0-3]):([0-5]\d)$/.exec(timezone) ?? [];
  if (sign === undefined) return undefined;
  const offsetMinutes = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  // RethinkDB keeps milliseconds; further digits are rounding errors of a double.
  const localMs = Math.round(epochSeconds * 1000) + offsetMinutes * 60_000;
  if (!(localMs >= calendar.startMs && localMs < calendar.endMs)) return undefined;
  const [, local, fraction] = /^(.+)\.(\d{3})Z$/.exec(new Date(localMs).toISOString()) ?? [];
  const zone = offsetMinutes === 0 ? 'Z' : timezone;
  return `${local}${`.${fraction}`.replace(/\.?0+$/, '')}${zone}`;
}
