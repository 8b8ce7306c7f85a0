/**
 * Changes of one table, in order, as what must be written: the last word on each key. RethinkDB applies a thousand
 * such writes in 20 ms, but a thousand changes one after the other in 700 ms (measured, 2.4.4).
 */
import { parseChange, type Change } from '../model/change.js';
import { parseJsonObject, type JsonObject } from '../model/json-object.js';
import { keyIdentity } from '../model/primary-key.js';

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
    const { oldValue, newValue } = readChange(text, index);
    const key = keyOf(newValue ?? oldValue, primaryKey);
    if (key === undefined) throw new NoChangeError(index);
    growth += (newValue === undefined ? 0 : 1) - (oldValue === undefined ? 0 : 1);
    last.set(keyIdentity(key), { index, key, isPut: newValue !== undefined });
  }
  const all = [...last.values()];
  return {
    put: all.flatMap(({ index, isPut }) => (isPut ? [index] : [])),
    removedKeys: all.flatMap(({ key, isPut }) => (isPut ? [] : [key])),
    growth,
  };
}

function readChange(text: string, index: number): Change {
  const object = parseJsonObject(text);
  const change = typeof object === 'string' ? object : parseChange(object);
  if (typeof change === 'string') throw new NoChangeError(index);
  return change;
}

function keyOf(document: JsonObject, primaryKey: string): unknown {
  return Object.hasOwn(document, primaryKey) ? document[primaryKey] : undefined;
}
