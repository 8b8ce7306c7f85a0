/**
 * The elements of a changefeed with `includeInitial`, `includeStates` and `includeTypes`, as the bytes that came.
 * RethinkDB writes the members of an object in the order of their names (datum.cc), so an element ends in its type, and
 * a row is the element without what stands around it: nothing is parsed, and the server makes nothing extra.
 */
import { parseJsonObject } from '../model/json-object.js';

/** Elements that follow one another: rows of the table, or changes, each a JSON object followed by one newline. */
export interface FeedPart {
  readonly kind: 'documents' | 'changes';
  readonly lines: Buffer;
}

export interface FeedElements {
  /** In the order of the feed. */
  readonly parts: readonly FeedPart[];
  /** Whether the feed said that the last row of the table was given. */
  readonly isReady: boolean;
}

const newline = 0x0a;
const rowHead = Buffer.from('{"new_val":');
const rowTail = Buffer.from(',"type":"initial"}');
const changeTails = ['add', 'change', 'remove', 'uninitial'].map((type) => Buffer.from(`,"type":"${type}"}`));
const ready = Buffer.from('{"state":"ready","type":"state"}');
const initializing = Buffer.from('{"state":"initializing","type":"state"}');

/**
 * Parts a batch, each element followed by one newline, in its place: the parts are in its memory. Throws when an
 * element is none of a feed's, which is how the server tells that it dropped changes.
 */
export function partElements(batch: Buffer): FeedElements {
  const runs: { kind: FeedPart['kind']; start: number; end: number }[] = [];
  let isReady = false;
  let written = 0;
  for (let start = 0; start < batch.length;) {
    const end = batch.indexOf(newline, start);
    const isRow =
      endsWith(batch, start, end, rowTail) &&
      batch.compare(rowHead, 0, rowHead.length, start, start + rowHead.length) === 0;
    if (isRow || changeTails.some((tail) => endsWith(batch, start, end, tail))) {
      const kind = isRow ? 'documents' : 'changes';
      const run = runs.at(-1);
      const from = written;
      written += isRow
        ? batch.copy(batch, written, start + rowHead.length, end - rowTail.length)
        : batch.copy(batch, written, start, end);
      batch[written] = newline;
      written += 1;
      if (run?.kind === kind) run.end = written;
      else runs.push({ kind, start: from, end: written });
    } else if (isSame(batch, start, end, ready)) isReady = true;
    else if (!isSame(batch, start, end, initializing))
      throw new FeedFault(faultText(batch.toString('utf8', start, end)));
    start = end + 1;
  }
  return { parts: runs.map(({ kind, start, end }) => ({ kind, lines: batch.subarray(start, end) })), isReady };
}

/** The server said that the feed is no longer whole. */
export class FeedFault extends Error {
  override readonly name = 'FeedFault';
}

/** Only what the server says of itself: anything else might hold a document. */
function faultText(element: string): string {
  const object = parseJsonObject(element);
  const error = typeof object === 'string' ? undefined : object.error;
  return typeof error === 'string' ? error.replaceAll(/\s+/g, ' ') : 'the changefeed holds what is no change';
}

function endsWith(batch: Buffer, start: number, end: number, tail: Buffer): boolean {
  return end - start >= tail.length && isSame(batch, end - tail.length, end, tail);
}

function isSame(batch: Buffer, start: number, end: number, bytes: Buffer): boolean {
  return batch.compare(bytes, 0, bytes.length, start, end) === 0;
}
