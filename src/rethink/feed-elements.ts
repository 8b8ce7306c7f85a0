/**
 * The elements of a changefeed with `includeInitial`, `includeStates` and `includeTypes`, as the bytes that came.
 * RethinkDB writes the members of an object in the order of their names (datum.cc), so an element ends in its type, and
 * a row is the element without what surrounds it: nothing is parsed, and nothing extra is asked of the server.
 */
import { parseJsonObject } from '../model/json-object.js';

/** Consecutive elements: rows of the table, or changes, each a JSON object followed by one newline. */
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

/** The changefeed is not complete any more. */
export class FeedError extends Error {
  override readonly name = 'FeedError';

  /** `isOverflow`: the server dropped changes, because they were not read fast enough. */
  constructor(
    message: string,
    readonly isOverflow = false,
  ) {
    super(message);
  }
}

const newline = 0x0a;
const rowHead = Buffer.from('{"new_val":');
const rowTail = Buffer.from(',"type":"initial"}');
const changeTails = ['add', 'change', 'remove', 'uninitial'].map((type) => Buffer.from(`,"type":"${type}"}`));
const ready = Buffer.from('{"state":"ready","type":"state"}');
const initializing = Buffer.from('{"state":"initializing","type":"state"}');

interface Run {
  readonly kind: FeedPart['kind'];
  readonly start: number;
  end: number;
}

/**
 * Parses a batch of elements, each followed by one newline, in place: the parts are in its memory. Throws a FeedError for
 * anything else, such as the element by which the server says that it dropped changes.
 */
export function parseElements(batch: Buffer): FeedElements {
  const runs: Run[] = [];
  let run: Run | undefined;
  let isReady = false;
  let written = 0;
  for (let start = 0; start < batch.length;) {
    const end = batch.indexOf(newline, start);
    const endsIn = (tail: Buffer): boolean => end - start >= tail.length && isAt(batch, end - tail.length, tail);
    const isRow = endsIn(rowTail) && isAt(batch, start, rowHead);
    if (isRow || changeTails.some(endsIn)) {
      const kind = isRow ? 'documents' : 'changes';
      if (run?.kind !== kind) {
        run = { kind, start: written, end: written };
        runs.push(run);
      }
      written += isRow
        ? batch.copy(batch, written, start + rowHead.length, end - rowTail.length)
        : batch.copy(batch, written, start, end);
      batch[written] = newline;
      written += 1;
      run.end = written;
    } else if (end - start === ready.length && endsIn(ready)) isReady = true;
    else if (end - start !== initializing.length || !endsIn(initializing))
      throw elementError(batch.toString('utf8', start, end));
    start = end + 1;
  }
  return { parts: runs.map(({ kind, start, end }) => ({ kind, lines: batch.subarray(start, end) })), isReady };
}

/** Quotes only the server's own error: anything else might hold a document. */
function elementError(element: string): FeedError {
  const parsed = parseJsonObject(element);
  const error = parsed.ok ? parsed.value.error : undefined;
  // The only error a feed reports within its elements is that its queue overflowed (changefeed.cc).
  if (typeof error === 'string') return new FeedError(error.replaceAll(/\s+/g, ' '), true);
  return new FeedError('the changefeed holds an element that is not a change');
}

function isAt(batch: Buffer, position: number, bytes: Buffer): boolean {
  return batch.compare(bytes, 0, bytes.length, position, position + bytes.length) === 0;
}
