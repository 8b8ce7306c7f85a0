/** Finds a member of a JSON object in its text: parsing and serialising it would lose digits and reorder keys. */
import { parseByteText, type ByteText } from './byte-text.js';

/** The text of member `name` of the object that is all of `text`, the last where there are several; undefined where it has none. */
export function memberText<T extends string>(text: T, name: string): T | undefined {
  let found: T | undefined;
  let at = text.indexOf('{') + 1;
  for (;;) {
    const keyAt = text.indexOf('"', at);
    if (keyAt < 0) return found;
    const keyEnd = endOfString(text, keyAt);
    const start = skipBlanks(text, text.indexOf(':', keyEnd) + 1);
    const end = endOfValue(text, start);
    if (parseByteText(text.slice(keyAt, keyEnd) as ByteText) === name) found = text.slice(start, end) as T;
    at = skipBlanks(text, end);
    if (text[at] !== ',') return found;
    at += 1;
  }
}

/** Just past the value that begins at `start`; `text` must be JSON. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else {
      if (depth === 0 && (character === ',' || character === '}' || isBlank(character))) return at;
      if (character === '{' || character === '[') depth += 1;
      if (character === '}' || character === ']') depth -= 1;
      at += 1;
    }
    if (depth === 0 && (text[at - 1] === '"' || text[at - 1] === '}' || text[at - 1] === ']')) return at;
  }
  return text.length;
}

/** Just past the string whose opening quote is at `start`. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const quoteAt = text.indexOf('"', at);
    if (quoteAt < 0) break;
    let backslashes = 0;
    while (text[quoteAt - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quoteAt + 1;
    at = quoteAt;
  }
  return text.length;
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text[at])) at += 1;
  return at;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}
