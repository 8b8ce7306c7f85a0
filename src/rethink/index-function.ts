/**
 * The term inside a serialised index function. A server does not accept what a later version has serialised, but RethinkDB
 * (2.3.7 and 2.4.4 alike) keeps the term as the JSON that a client sends, each term with the number of a backtrace at its end:
 * prefix, versions, number of the variable (8 bytes), length (4 bytes, both little-endian), JSON, NUL, and more.
 */
import { rawTerm, term, type RawTerm } from './wire/term.js';

const variableBytes = 8;
const lengthBytes = 4;

/** Undefined where there is no function of one variable in the bytes. `code` is base64. */
export function functionTerm(code: string): RawTerm | undefined {
  const bytes = Buffer.from(code, 'base64');
  const start = bytes.indexOf('[');
  if (start < variableBytes + lengthBytes) return undefined;
  const length = bytes.readUInt32LE(start - lengthBytes);
  const end = start + length - 1;
  if (bytes[end] !== 0) return undefined;
  // Each byte as a character: a text of RethinkDB need not be UTF-8.
  const json = bytes.toString('latin1', start, end);
  // RethinkDB escapes control characters alone. Another one would become a byte.
  if (/\\u(?!00[01])/.test(json)) return undefined;
  const body = withoutBacktraces(json);
  if (body === undefined) return undefined;
  const variable = String(bytes.readBigInt64LE(start - lengthBytes - variableBytes));
  return rawTerm(term.func, [rawTerm(term.makeArray, [[variable]]), [Buffer.from(JSON.stringify(body), 'latin1')]]);
}

function withoutBacktraces(json: string): unknown {
  try {
    return strip(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** `[type, arguments, options, backtrace]`; arguments and options may be left out. Throws where it is something else. */
function strip(value: unknown): unknown {
  const [type, ...parts] = (value as readonly unknown[]).slice(0, -1);
  if (type === term.datum) return [type, ...parts];
  return [type, ...parts.map((part) => (Array.isArray(part) ? part.map(strip) : stripOptions(part)))];
}

function stripOptions(options: unknown): unknown {
  const entries = Object.entries(options as object);
  return Object.fromEntries(entries.map(([name, value]) => [name, strip(value)]));
}
