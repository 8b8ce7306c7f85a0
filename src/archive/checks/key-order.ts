/**
 * The order in which RethinkDB's `orderBy({index: primaryKey})` gives primary keys (tried on a 2.4.4 server): arrays,
 * booleans, numbers, pseudo-types (BINARY before TIME), text; within a type by elements, by value, by bytes.
 */
import type { DocumentEncoding } from '../../model/manifest.js';

/** Negative, 0 or positive as `a` stands before, at or after `b`; NaN where either can be no primary key. */
export type KeyOrder = (a: unknown, b: unknown) => number;

/** The order of keys in encoding `reql`. */
export function compareReqlKeys(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return compareKeys(a, b, compareText);
}

/** Whether RethinkDB takes it for a primary key. */
export function isPrimaryKey(key: unknown): boolean {
  return typeof key === 'string' || !Number.isNaN(compareReqlKeys(key, key));
}

/** Whether two keys are of one document: a TIME's zone does not count, which is text in encoding `dtr`. */
export function isSameKey(a: unknown, b: unknown, encoding: DocumentEncoding): boolean {
  return compareReqlKeys(a, b) === 0 || (encoding === 'dtr' && compareTimeTexts(a, b) === 0);
}

/** Encoding `dtr`: keys that were TIME are RFC 3339 text and stand in the order of time. */
export function compareTimeTexts(a: unknown, b: unknown): number {
  return compareKeys(a, b, (one, other) => {
    return isTimeText(one) && isTimeText(other) ? compareTimes(one, other) : compareText(one, other);
  });
}

/** Encoding `dtr`: keys that were BINARY are base64 text and stand in the order of the bytes. */
export function compareBinaryTexts(a: unknown, b: unknown): number {
  return compareKeys(a, b, (one, other) => {
    return Buffer.compare(Buffer.from(one, 'base64'), Buffer.from(other, 'base64'));
  });
}

const ranks = { array: 0, boolean: 1, number: 2, BINARY: 3, TIME: 4, text: 5 };
type Kind = keyof typeof ranks;
type TextOrder = (a: string, b: string) => number;

/** A primary key has at most 127 bytes, and each array takes one of them. */
const deepestArray = 127;

function compareKeys(a: unknown, b: unknown, compareTexts: TextOrder, depth = 0): number {
  if (depth > deepestArray) return Number.NaN;
  const kind = kindOf(a);
  const otherKind = kindOf(b);
  if (kind === undefined || otherKind === undefined) return Number.NaN;
  if (kind !== otherKind) return ranks[kind] - ranks[otherKind];
  if (kind === 'array') return compareArrays(a as unknown[], b as unknown[], compareTexts, depth + 1);
  if (kind === 'text') return compareTexts(a as string, b as string);
  if (kind === 'BINARY') return Buffer.compare(binaryOf(a), binaryOf(b));
  if (kind === 'TIME') return epochOf(a) - epochOf(b);
  return Number(a) - Number(b);
}

/** RethinkDB takes neither null nor an object for a primary key. */
function kindOf(key: unknown): Kind | undefined {
  if (typeof key === 'string') return 'text';
  if (typeof key === 'number') return 'number';
  if (typeof key === 'boolean') return 'boolean';
  if (Array.isArray(key)) return 'array';
  if (typeof key !== 'object' || key === null || !('$reql_type$' in key)) return undefined;
  if (key.$reql_type$ === 'TIME') return 'epoch_time' in key && typeof key.epoch_time === 'number' ? 'TIME' : undefined;
  if (key.$reql_type$ !== 'BINARY') return undefined;
  return 'data' in key && typeof key.data === 'string' ? 'BINARY' : undefined;
}

function compareArrays(a: unknown[], b: unknown[], compareTexts: TextOrder, depth: number): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const order = compareKeys(a[index], b[index], compareTexts, depth);
    // Not a number counts as a difference, too.
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** By bytes, which the characters of a ByteText are. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function binaryOf(key: unknown): Buffer {
  return Buffer.from((key as { readonly data: string }).data, 'base64');
}

function epochOf(key: unknown): number {
  return (key as { readonly epoch_time: number }).epoch_time;
}

/** Whether it looks like the text that encoding `dtr` makes of a TIME. */
export function isTimeText(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(text);
}

/** Date knows no more than milliseconds, and neither does a TIME. */
function compareTimes(a: string, b: string): number {
  return Date.parse(a) - Date.parse(b);
}
