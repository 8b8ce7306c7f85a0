/**
 * How a document is written. `reql` keeps RethinkDB's own JSON text untouched; `dtr` is the form that the vendor's
 * restore reads: compact JSON, TIME as RFC 3339 text, BINARY as base64 text (Notary's public code reads exactly that).
 */
import type { DocumentEncoding } from '../../model/manifest.js';

/** Gives documents in this encoding, from RethinkDB's own JSON texts; each of either is followed by one newline. */
export function encodeDocuments(lines: Buffer, encoding: DocumentEncoding): Buffer {
  if (encoding === 'reql') return lines;
  const texts = lines.toString('utf8').split('\n').slice(0, -1);
  return Buffer.from(texts.map((text) => `${encodeDocument(text, encoding)}\n`).join(''));
}

/** Gives the text of a document in this encoding, from RethinkDB's own JSON text of it. */
export function encodeDocument(text: string, encoding: DocumentEncoding): string {
  return encoding === 'reql' ? text : JSON.stringify(vendorValue(JSON.parse(text)));
}

function vendorValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(vendorValue);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Readonly<Record<string, unknown>>;
  if (object.$reql_type$ === 'TIME') return rfc3339(Number(object.epoch_time), String(object.timezone));
  // RethinkDB breaks base64 into lines.
  if (object.$reql_type$ === 'BINARY') return String(object.data).replaceAll(/\s/g, '');
  const members = Object.entries(object).map(([key, member]): [string, unknown] => [key, vendorValue(member)]);
  // Not by assignment: a member named __proto__ would be lost.
  return Object.fromEntries(members);
}

/** RFC 3339 text of a RethinkDB time: seconds since 1970 with a fraction, in the zone it was stored with (`±hh:mm`). */
export function rfc3339(epochSeconds: number, timezone: string): string {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(timezone) ?? [];
  const offsetMinutes = (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  const wholeSeconds = Math.floor(epochSeconds);
  // RethinkDB keeps time to the millisecond; a double's noise beyond the microsecond is no information.
  const micros = Math.round((epochSeconds - wholeSeconds) * 1e6);
  const carried = wholeSeconds + Math.floor(micros / 1e6);
  const fraction = micros % 1e6 === 0 ? '' : `.${String(micros % 1e6).padStart(6, '0')}`.replace(/0+$/, '');
  const local = new Date((carried + offsetMinutes * 60) * 1000).toISOString().slice(0, -'.000Z'.length);
  return `${local}${fraction}${offsetMinutes === 0 ? 'Z' : timezone}`;
}
