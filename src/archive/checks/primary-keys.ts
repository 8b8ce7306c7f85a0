/**
 * Proves that the primary keys of a table are there and unique, in constant memory: documents stand in key order, so
 * each key must come after the one before. (The rows of a snapshot stand in none: their keys are proved to be there.)
 * Which member is the primary key is known only when the manifest comes, at
 * the very end: until then every member of the first document is a candidate, and most are refuted by the second.
 */
import { encodeText, type ByteText } from '../../model/byte-text.js';
import type { JsonObject } from '../../model/json-object.js';
import type { DocumentEncoding } from '../../model/manifest.js';
import {
  compareBinaryTexts,
  compareReqlKeys,
  compareTimeTexts,
  isPrimaryKey,
  isTimeText,
  type KeyOrder,
} from './key-order.js';

/**
 * Encoding `dtr` makes text of BINARY and TIME: in a table that mixes them with text, each of the three stands in an
 * order of its own, one behind the other.
 */
const mostBreaks = 2;

/** Which document speaks against a member being the primary key, and why. */
export interface KeyFault {
  readonly number: number;
  readonly reason: string;
}

export class PrimaryKeys {
  /** By member name; undefined before the first document. */
  #candidates: Map<string, Candidate> | undefined;
  #open: Candidate[] = [];
  #firstNumber = 0;
  readonly #known: ByteText | undefined;

  /** Only `known` is a candidate where it is known from the beginning, as it is to a writer. */
  constructor(known?: string) {
    this.#known = known === undefined ? undefined : encodeText(known);
  }

  /** Called for each document in turn; `number` is that of its entry. */
  add(document: JsonObject, number: number): void {
    if (this.#candidates === undefined) {
      this.#firstNumber = number;
      const names = this.#known === undefined ? Object.keys(document) : [this.#known];
      const present = names.filter((name) => Object.hasOwn(document, name));
      this.#open = present.map((name) => new Candidate(name, document[name], number));
      this.#candidates = new Map(this.#open.map((candidate) => [candidate.name, candidate]));
    } else {
      for (const candidate of this.#open) candidate.add(document, number);
    }
    if (this.#open.some(({ isOpen }) => !isOpen)) this.#open = this.#open.filter(({ isOpen }) => isOpen);
  }

  /**
   * What speaks against `name` being the primary key; undefined when it is in every document and, where they should
   * stand in order, no two agree.
   */
  fault(name: string, encoding: DocumentEncoding, isOrdered: boolean): KeyFault | undefined {
    if (this.#candidates === undefined) return undefined;
    const candidate = this.#candidates.get(encodeText(name));
    if (candidate === undefined) return { number: this.#firstNumber, reason: noKey };
    if (!isOrdered) return candidate.absence;
    return encoding === 'reql' ? candidate.reqlFault : candidate.fault;
  }

  /** Whether an order that holds throughout proves the keys unique; false where `fault` finds none although it does not. */
  isProved(name: string, encoding: DocumentEncoding): boolean {
    if (this.#candidates === undefined) return true;
    const candidate = this.#candidates.get(encodeText(name));
    return candidate !== undefined && (encoding === 'reql' ? candidate.reqlFault === undefined : candidate.isProved);
  }
}

const noKey = 'has no primary key';
const noKeyType = 'has a primary key of a type that RethinkDB refuses';

class Candidate {
  readonly name: string;
  /** Why it cannot be the primary key, whatever the order. */
  absence: KeyFault | undefined;
  /** Why ReQL's own order does not hold. */
  reqlFault: KeyFault | undefined;
  /** Why no order holds, nor three one behind the other. */
  fault: KeyFault | undefined;
  /** What could hold since the last break: ReQL's own order, and others by what the first key looked like. */
  #isReqlOrder = true;
  #otherOrders: KeyOrder[] = [];
  #mayBreak = false;
  #breaks = 0;
  #previous: unknown;

  constructor(name: string, first: unknown, number: number) {
    this.name = name;
    this.#previous = first;
    if (isPrimaryKey(first)) this.#beginOrder(first);
    else this.#refute({ number, reason: noKeyType });
  }

  get isOpen(): boolean {
    return this.absence === undefined;
  }

  get isProved(): boolean {
    return this.fault === undefined && this.#breaks === 0;
  }

  add(document: JsonObject, number: number): void {
    const key = document[this.name];
    if (!Object.hasOwn(document, this.name)) this.#refute({ number, reason: noKey });
    else if (!isPrimaryKey(key)) this.#refute({ number, reason: noKeyType });
    else if (this.fault === undefined) {
      if (typeof key !== typeof this.#previous) this.#beginOrder(key);
      const order = compareReqlKeys(this.#previous, key);
      if (!(order < 0 && this.#otherOrders.length === 0)) this.#judge(order, key, number);
      this.#previous = key;
    }
  }

  /** For a key that does not follow the one before, or not only in ReQL's own order. */
  #judge(order: number, key: unknown, number: number): void {
    if (order === 0) this.#refuteOrder({ number, reason: 'has the primary key of the document before it' });
    const unproved = { number, reason: 'has a primary key that does not follow the one before it' };
    if (!(order < 0)) {
      this.reqlFault ??= unproved;
      this.#isReqlOrder = false;
    }
    if (this.#otherOrders.length > 0) this.#narrow(key);
    if (this.#otherOrders.length === 0 && !this.#isReqlOrder) this.#break(key, unproved);
  }

  /** Only what may have been BINARY or TIME stands before others of their own order; a TIME stands before no TIME of it. */
  #break(key: unknown, unproved: KeyFault): void {
    const isOneOrder = [this.#previous, key].every((it) => typeof it === 'string' && isTimeText(it));
    if (this.#breaks === mostBreaks || !this.#mayBreak || isOneOrder) this.fault ??= unproved;
    this.#breaks += 1;
    this.#beginOrder(key);
  }

  #beginOrder(key: unknown): void {
    this.#isReqlOrder = true;
    this.#otherOrders = otherOrders(key);
    this.#mayBreak = this.#otherOrders.length > 0;
  }

  #narrow(key: unknown): void {
    for (let index = this.#otherOrders.length - 1; index >= 0; index -= 1) {
      const holds = (this.#otherOrders[index]?.(this.#previous, key) ?? Number.NaN) < 0;
      if (!holds) this.#otherOrders.splice(index, 1);
    }
  }

  #refute(fault: KeyFault): void {
    this.absence ??= fault;
    this.#refuteOrder(fault);
  }

  #refuteOrder(fault: KeyFault): void {
    this.reqlFault ??= fault;
    this.fault ??= fault;
  }
}

/** RethinkDB's keys have at most 127 bytes, which base64 makes 172 of. */
const mostKeyCharacters = 172;

function otherOrders(key: unknown): KeyOrder[] {
  const texts = [key]
    .flat(20)
    .filter((part) => typeof part === 'string' && part.length <= mostKeyCharacters) as string[];
  return [
    ...(texts.some(isTimeText) ? [compareTimeTexts] : []),
    ...(texts.some((text) => /^([\w+/]{4})*([\w+/]{2}==|[\w+/]{3}=)?$/.test(text)) ? [compareBinaryTexts] : []),
  ];
}
