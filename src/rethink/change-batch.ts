/**
 * Changes of one table, in order, as what must be written: the last word on each key. RethinkDB applies a thousand
 * such writes in 20 ms, but a thousand changes one after the other in 700 ms (measured, 2.4.4).
 */

export interface FoldedChanges {
  /** Which of the texts put their `new_val` in place: each is the last change of its key. */
  readonly put: readonly number[];
  /** The keys whose last change removed the document. None of them is among `put`. */
  readonly removedKeys: readonly unknown[];
  /** How many more documents there are after all of them. */
  readonly growth: number;
}

/** A text that is no change of a document with this primary key. */
export class NoChangeError extends Error {
  override readonly name = 'NoChangeError';

  constructor(readonly index: number) {
    super('is no change of a document');
  }
}

/** Folds `texts`, each one element of a changefeed. Throws NoChangeError. */
export function foldChanges(texts: readonly string[], primaryKey: string): FoldedChanges {
  const last = new Map<string, { readonly index: number; readonly key: unknown; readonly isPut: boolean }>();
  let growth = 0;
  for (const [index, text] of texts.entries()) {
    const { before, after } = parseChange(text, index);
    const key = keyOf(after ?? before, primaryKey);
    if (key === undefined) throw new NoChangeError(index);
    growth += (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    last.set(identityOf(key), { index, key, isPut: after !== undefined });
  }
  const all = [...last.values()];
  return {
    put: all.flatMap(({ index, isPut }) => (isPut ? [index] : [])),
    removedKeys: all.flatMap(({ key, isPut }) => (isPut ? [] : [key])),
    growth,
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseChange(text: string, index: number): { before: JsonObject | undefined; after: JsonObject | undefined } {
  let change: unknown;
  try {
    change = JSON.parse(text);
  } catch {
    // The parser's own message quotes the document, which may be a private key.
    throw new NoChangeError(index);
  }
  if (!isObject(change)) throw new NoChangeError(index);
  const { old_val: before, new_val: after } = change;
  return { before: isObject(before) ? before : undefined, after: isObject(after) ? after : undefined };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keyOf(document: JsonObject | undefined, primaryKey: string): unknown {
  return document !== undefined && Object.hasOwn(document, primaryKey) ? document[primaryKey] : undefined;
}

/** The same text for what RethinkDB takes for the same key: a TIME's zone does not count, and -0 is 0. */
function identityOf(key: unknown): string {
  return JSON.stringify(key, (_name, value: unknown) =>
    isObject(value) && value.$reql_type$ === 'TIME' ? { epoch_time: value.epoch_time } : value,
  );
}
