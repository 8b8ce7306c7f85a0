/**
 * The text of documents, exactly. RethinkDB accepts more than UTF-8: any surrogate as three bytes (`ED A0 80`), even two of
 * them where UTF-8 has one character of four bytes (its parsing/utf8.cc checks all but that; tried on 2.4.4). A JavaScript
 * string cannot tell the two apart, so in a ByteText each character is one byte, 0 to FF.
 *
 * JSON works with it: `parseByteText` gives ByteTexts for names and strings, `JSON.stringify` makes a ByteText of them again,
 * and `<` compares them by bytes, as RethinkDB does.
 */
import { isUtf8 } from 'node:buffer';

declare const brand: unique symbol;
export type ByteText = string & { readonly [brand]: true };

/** The bytes of `source` from `start` to `end` as text. */
export function byteTextOf(source: Buffer, start = 0, end = source.length): ByteText {
  return source.toString('latin1', start, end) as ByteText;
}

/** The bytes again. */
export function bytesOfText(text: ByteText): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Text of characters, say a primary key's name out of a manifest, as RethinkDB stores it: a lone surrogate has three bytes. */
export function encodeText(characters: string): ByteText {
  const isAscii = /^[\0-\x7f]*$/.test(characters);
  return (isAscii ? characters : Array.from(characters, encodeCharacter).join('')) as ByteText;
}

/** Whether RethinkDB stores these bytes as text: UTF-8, surrogates among it. */
export function isStorableText(bytes: Buffer): boolean {
  return isUtf8(bytes) || isUtf8(Buffer.from(byteTextOf(bytes).replaceAll(surrogate, '?'), 'latin1'));
}

/** The value that is all of the JSON text; names and texts in it are ByteTexts. Throws a SyntaxError where it is no JSON. */
export function parseByteText(text: ByteText): unknown {
  return JSON.parse(foreignEscape.test(text) ? text.replaceAll(escape, unescaped) : text);
}

/** In UTF-8 `ED` only begins sequences of three bytes, so a match is never inside of another character. */
const surrogate = /\xed[\xa0-\xbf][\x80-\xbf]/g;

/** RethinkDB escapes ASCII control characters only. Escapes of others, as other programs write them, give characters, not bytes. */
const foreignEscape = /\\u(?!00[0-7])/;
const escape = /\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\[^u]/g;

function unescaped(found: string, high?: string, low?: string, single?: string): string {
  const units = [high, low, single].flatMap((unit) => (unit === undefined ? [] : [Number.parseInt(unit, 16)]));
  const isKept = units.every((unit) => unit < 0x80);
  return isKept ? found : encodeText(String.fromCharCode(...units));
}

function encodeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0xd800 || code > 0xdfff) return Buffer.from(character).toString('latin1');
  return String.fromCharCode(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
}
