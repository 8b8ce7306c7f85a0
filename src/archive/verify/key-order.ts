/**
 * The order in which RethinkDB's `orderBy({index: primaryKey})` gives primary keys (tried on a 2.4.4 server): arrays,
 * booleans, numbers, pseudo-types (BINARY before TIME), text; within a type by elements, by value, by bytes.
 */
import type { DocumentEncoding } from '../../model/manifest.js';

/** Negative, 0 or positive as `a` comes before, with or after `b`; NaN where either can be no primary key. */
export function compareReqlKeys(a: unknown, b: unknown, depth = 0): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (depth > maxArrayDepth) return Number.NaN;
  const kind = kindOf(a);
  const otherKind = kindOf(b);
  if (kind === undefined || otherKind === undefined) return Number.NaN;
  if (kind !== otherKind) return ranks[kind] - ranks[otherKind];
  if (kind === 'array') return compareArrays(a as unknown[], b as unknown[], depth + 1);
  if (kind === 'BINARY') return Buffer.compare(binaryOf(a), binaryOf(b));
  if (kind === 'TIME') return epochOf(a) - epochOf(b);
  return Number(a) - Number(b);
}

/** Whether RethinkDB takes it for a primary key. */
export function isPrimaryKey(key: unknown): boolean {
  return typeof key === 'string' || !Number.isNaN(compareReqlKeys(key, key));
}

/** Whether two primary keys are of one document: a TIME's zone does not count, also where encoding `dtr` made text of it. */
export function isSameKey(a: unknown, b: unknown, encoding: DocumentEncoding): boolean {
  return compareReqlKeys(a, b) === 0 || (encoding === 'dtr' && withoutZones(a) === withoutZones(b));
}

/** Date knows no more than milliseconds, and neither does a TIME. */
function withoutZones(key: unknown): string {
  return JSON.stringify(key, (_name, part: unknown) => {
    return typeof part === 'string' && timeText.test(part) ? Date.parse(part) : part;
  });
}

const timeText = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/;

const ranks = { array: 0, boolean: 1, number: 2, BINARY: 3, TIME: 4, text: 5 };
type Kind = keyof typeof ranks;

/** A primary key has at most 127 bytes, and each array takes one of them. */
const maxArrayDepth = 127;

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

function compareArrays(a: unknown[], b: unknown[], depth: number): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const order = compareReqlKeys(a[index], b[index], depth);
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
