/**
 * What RethinkDB gives and takes back of one document, so that whatever is backed up can be restored. A document's text is
 * sent as it is, as a term of type DATUM: nothing of it is escaped once more.
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
 * Objects and arrays within one another. RethinkDB 2.4.4 was seen to take and give this; it has no limit of its own but
 * memory, and neither has JSON.parse, which needs 100 bytes for each.
 */
export const maxDocumentDepth = 500_000;

/** Whether objects and arrays stand in one another deeper than `limit`. `text` need not be JSON. */
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
