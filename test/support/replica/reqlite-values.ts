/**
 * Patches to reqlite's values: documents arrive and leave without loss, keys of every type are told apart and ordered
 * as RethinkDB orders them. Measured against RethinkDB 2.4.4.
 */
import { reqlite, TermType, type Term } from './reqlite-module.js';

const { util, Sequence, ReqlDate, ReqlGeometry, Bluebird } = reqlite;
const notConstant = Symbol('not a constant');

function isObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** Plain assignment to `__proto__` would set the prototype and lose the field. */
function setField(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[name] = value;
  }
}

function mapFields(source: Record<string, unknown>, map: (value: unknown) => unknown): Record<string, unknown> {
  const target: Record<string, unknown> = {};
  for (const name of Object.keys(source)) setField(target, name, map(source[name]));
  return target;
}

/** Values that reqlite has made already (dates, sequences, documents) have prototypes of their own. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
}

/** Parsed JSON as reqlite's own values. RethinkDB breaks the base64 text of BINARY into lines of 76. */
function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return new Sequence(value.map(fromJson));
  if (!isPlainObject(value)) return value;
  if (value.$reql_type$ === 'TIME') return ReqlDate.buildFromDatum(value);
  if (value.$reql_type$ === 'GEOMETRY') return ReqlGeometry.buildFromDatum(value);
  if (value.$reql_type$ === 'BINARY')
    return {
      ...value,
      data: bytesOf(value)
        .toString('base64')
        .replace(/.{76}(?!$)/g, '$&\r\n'),
    };
  return mapFields(value, fromJson);
}

/**
 * What a term without any operation in it stands for: literals, arrays, objects, `r.json(text)`, DATUM. reqlite makes a
 * promise for every field of them, and loses fields named `__proto__`.
 */
function constantOf(term: Term): unknown {
  if (Array.isArray(term)) {
    const [type, args] = term as [unknown, unknown];
    if (type === TermType.MAKE_ARRAY && Array.isArray(args)) {
      const items: unknown[] = [];
      for (const arg of args as Term[]) {
        const item = constantOf(arg);
        if (item === notConstant) return notConstant;
        items.push(item);
      }
      return new Sequence(items);
    }
    // Within it, arrays and objects are no terms.
    if (type === TermType.DATUM) return fromJson(args);
    if (type === TermType.JSON && Array.isArray(args) && typeof args[0] === 'string') return parsedJson(args[0]);
    return notConstant;
  }
  if (!isObject(term)) return term;
  if (!isPlainObject(term)) return notConstant;
  if (term.$reql_type$ !== undefined) return fromJson(term);
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(term)) {
    const value = constantOf(term[name]);
    if (value === notConstant) return notConstant;
    setField(result, name, value);
  }
  return result;
}

function parsedJson(text: string): unknown {
  try {
    return fromJson(JSON.parse(text));
  } catch {
    return notConstant; // reqlite's own road makes the error message.
  }
}

/** reqlite's own value as plain JSON values. */
function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isObject(value)) return value;
  if (typeof value.toDatum === 'function') return (value as unknown as { toDatum(): unknown }).toDatum();
  return mapFields(value, toPlain);
}

/** The text `toJSON()` answers with: JSON.stringify would lose the sign of -0, which RethinkDB writes as `-0.0`. */
export function jsonText(value: unknown): string {
  if (Object.is(value, -0)) return '-0.0';
  if (value instanceof Sequence) return `[${value.sequence.map(jsonText).join(',')}]`;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  if (typeof value.toDatum === 'function') return jsonText(toPlain(value));
  const fields = Object.keys(value).map((name) => `${JSON.stringify(name)}:${jsonText(value[name])}`);
  return `{${fields.join(',')}}`;
}

/** RethinkDB orders text by its UTF-8 bytes; UTF-16 units differ from that only where surrogates are. */
function compareText(left: string, right: string): number {
  const end = Math.min(left.length, right.length);
  for (let index = 0; index < end; index += 1) {
    const difference = utf8Rank(left.charCodeAt(index)) - utf8Rank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** ReQL's order of types among keys; null and objects cannot be keys, but bounds of an index may hold them. */
function typeRank(value: unknown): number {
  if (value instanceof reqlite.Minval) return 0;
  if (value instanceof Sequence) return 1;
  if (typeof value === 'boolean') return 2;
  if (value === null) return 3;
  if (typeof value === 'number') return 4;
  if (typeof value === 'string') return 8;
  if (value instanceof reqlite.Maxval) return 9;
  const { $reql_type$: pseudoType } = value as { $reql_type$?: string };
  return pseudoType === 'BINARY' ? 6 : pseudoType === 'TIME' ? 7 : 5;
}

/** Orders primary keys as RethinkDB does: negative, zero or positive. */
export function compareKeys(left: unknown, right: unknown): number {
  const rank = typeRank(left);
  if (rank !== typeRank(right)) return rank - typeRank(right);
  if (typeof left === 'string') return compareText(left, right as string);
  if (typeof left === 'number' || typeof left === 'boolean') return Number(left) - Number(right);
  if (left instanceof Sequence) return compareArrays(left.sequence, (right as typeof left).sequence);
  if (rank === 6) return Buffer.compare(bytesOf(left), bytesOf(right));
  if (rank === 7) return timeOf(left) - timeOf(right);
  return 0;
}

function compareArrays(left: unknown[], right: unknown[]): number {
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = compareKeys(left[index], right[index]);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function bytesOf(binary: unknown): Buffer {
  return Buffer.from((binary as { data: string }).data, 'base64');
}

function timeOf(time: unknown): number {
  return (time as { epoch_time: number }).epoch_time;
}

/** A value in a term's place: evaluating a result once more would take its arrays for terms. */
export class Evaluated {
  constructor(readonly value: unknown) {}
}

export function patchValues(): void {
  const { evaluate } = reqlite.Query.prototype;
  reqlite.Query.prototype.evaluate = function (term, internalOptions) {
    const constant = term instanceof Evaluated ? term.value : constantOf(term);
    return constant === notConstant ? evaluate.call(this, term, internalOptions) : Bluebird.resolve(constant);
  };
  util.revertDatum = fromJson;
  util.toDatum = toPlain;
  reqlite.Document.prototype.toDatum = function () {
    return toPlain(this.doc);
  };

  // Arrays are keys too (Notary's tuf_files), and -0 is 0.
  const { makeInternalPk } = util;
  util.makeInternalPk = (value) => {
    if (value instanceof Sequence)
      return `array_${value.sequence.map((item) => JSON.stringify(util.makeInternalPk(item))).join()}`;
    if (value !== null && typeRank(value) === 7) return `date_${timeOf(value)}`;
    return makeInternalPk(value);
  };
}
