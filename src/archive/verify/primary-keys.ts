/**
 * Proves that the primary keys of a table are there and unique, in constant memory: documents stand in key order, so
 * each key must come after the one before. (The rows of a snapshot stand in none: their keys are proved to be there.)
 * Which member is the primary key is known only when the manifest comes, at
 * the very end: until then every member of the first document is a candidate, and most are refuted by the second.
 */
import { encodeText, type ByteText } from '../../model/byte-text.js';
import type { JsonObject } from '../../model/json-object.js';
import type { DocumentEncoding } from '../../model/manifest.js';
import { compareReqlKeys, isPerhapsConverted, isPrimaryKey } from './key-order.js';

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
   * stand in order, they do, or what encoding `dtr` made of them hides it.
   */
  fault(name: string, encoding: DocumentEncoding, isOrdered: boolean): KeyFault | undefined {
    if (this.#candidates === undefined) return undefined;
    const candidate = this.#candidates.get(encodeText(name));
    if (candidate === undefined) return { number: this.#firstNumber, reason: noKey };
    const mayBeOutOfOrder = !isOrdered || (encoding === 'dtr' && candidate.isPerhapsConverted);
    return mayBeOutOfOrder ? candidate.absence : candidate.orderFault;
  }

  /** Whether their order proves the keys unique; false also where `fault` finds none although it does not. */
  isVerified(name: string): boolean {
    if (this.#candidates === undefined) return true;
    const candidate = this.#candidates.get(encodeText(name));
    return candidate !== undefined && candidate.orderFault === undefined;
  }
}

const noKey = 'has no primary key';
const noKeyType = 'has a primary key of a type that RethinkDB refuses';

class Candidate {
  readonly name: string;
  /** Why it cannot be the primary key, whatever the order. */
  absence: KeyFault | undefined;
  /** The first that does not stand in order, or cannot be the primary key. */
  orderFault: KeyFault | undefined;
  /** Whether what is out of order may be so because encoding `dtr` made text of it: nobody can check the order then. */
  isPerhapsConverted = false;
  #previous: unknown;

  constructor(name: string, first: unknown, number: number) {
    this.name = name;
    this.#previous = first;
    if (!isPrimaryKey(first)) this.#refute({ number, reason: noKeyType });
  }

  get isOpen(): boolean {
    return this.absence === undefined;
  }

  add(document: JsonObject, number: number): void {
    const key = document[this.name];
    if (!Object.hasOwn(document, this.name)) this.#refute({ number, reason: noKey });
    else if (!isPrimaryKey(key)) this.#refute({ number, reason: noKeyType });
    else if (this.orderFault === undefined) {
      const order = compareReqlKeys(this.#previous, key);
      if (order === 0) this.orderFault = { number, reason: 'has the primary key of the document before it' };
      else if (!(order < 0)) {
        this.orderFault = { number, reason: 'has a primary key that does not follow the one before it' };
        this.isPerhapsConverted = isPerhapsConverted(this.#previous);
      }
      this.#previous = key;
    }
  }

  #refute(fault: KeyFault): void {
    this.absence ??= fault;
    this.orderFault ??= fault;
  }
}
