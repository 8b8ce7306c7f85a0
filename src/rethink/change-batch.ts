/**
 * Folds changes of one table, in order, into what must be written: the last change of each key. RethinkDB applies a
 * thousand such writes in 20 ms, but a thousand changes one after the other in 700 ms (measured, 2.4.4).
 */
import { byteTextOf, bytesOfText, encodeText, type ByteText } from '../model/byte-text.js';
import { keyIdentity, parseChange, type Change } from '../model/change.js';
import { memberText } from '../model/json-member.js';
import { parseDocument } from '../model/json-object.js';

/** All of these are JSON texts as the changes have them, byte for byte. */
interface FoldedChanges {
  /** The documents to put in place, each the last of its key. */
  readonly put: readonly { readonly index: number; readonly body: Buffer }[];
  /** The keys whose last change removed the document. None of them is one of those put. */
  readonly removedKeys: readonly Buffer[];
  /** How many more documents there are after all of them. */
  readonly growth: number;
}

/** The text with this index is not a change of a document with this primary key. */
export class NoChangeError extends Error {
  override readonly name = 'NoChangeError';

  constructor(readonly index: number) {
    super('is not a change of a document');
  }
}

/** Folds `bodies`, each one element of a changefeed. Throws a NoChangeError. */
export function foldChanges(bodies: readonly Buffer[], primaryKey: string): FoldedChanges {
  const keyName = encodeText(primaryKey);
  const last = new Map<string, { readonly index: number; readonly text: ByteText; readonly isPut: boolean }>();
  let growth = 0;
  for (const [index, body] of bodies.entries()) {
    const text = byteTextOf(body);
    const { oldValue, newValue } = readChange(text, index);
    const document = newValue ?? oldValue;
    if (!Object.hasOwn(document, keyName)) throw new NoChangeError(index);
    growth += (newValue === undefined ? 0 : 1) - (oldValue === undefined ? 0 : 1);
    last.set(keyIdentity(document[keyName]), { index, text, isPut: newValue !== undefined });
  }
  const all = [...last.values()];
  const puts = all.filter(({ isPut }) => isPut);
  const removals = all.filter(({ isPut }) => !isPut);
  return {
    put: puts.map(({ index, text }) => ({ index, body: bytesOfText(member(text, 'new_val')) })),
    removedKeys: removals.map(({ text }) => bytesOfText(member(member(text, 'old_val'), keyName))),
    growth,
  };
}

function readChange(text: ByteText, index: number): Change {
  const object = parseDocument(text);
  const change = object.ok ? parseChange(object.value) : object;
  if (!change.ok) throw new NoChangeError(index);
  return change.value;
}

/** Of a member that the parsed text is known to have. */
function member(text: ByteText, name: string): ByteText {
  return memberText(text, name) ?? ('' as ByteText);
}
