/**
 * What RethinkDB gives and accepts again of one document, so that what is backed up can be restored. A document is sent as
 * its own text, as a term of type DATUM, without further escaping.
 */
import { endOfString } from './json-member.js';
import type { ByteText } from './byte-text.js';

/** The server refuses queries of 128 MiB and more (TOO_LARGE_QUERY_SIZE of RethinkDB 2.4; one byte less was taken). */
const maxQueryBytes = 128 * 1024 * 1024 - 1;

/** The query around the document is far below this: its table's name is the longest part. */
const queryOverheadBytes = 4095;

/** The largest document that a query can hold. A document that grew on the server may be larger. */
export const maxDocumentBytes = maxQueryBytes - queryOverheadBytes;

/**
 * Depth of nested objects and arrays. RethinkDB 2.4.4 was seen to store and give this; its only limit, and that of
 * JSON.parse, is memory (100 bytes for each).
 */
export const maxDocumentDepth = 500_000;

/** Whether objects and arrays are nested deeper than `limit`. `text` need not be JSON. */
export function isNestedDeeper(text: ByteText, limit: number): boolean {
  if (text.length < 2 * limit) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > limit) return true;
  }
  return false;
}
