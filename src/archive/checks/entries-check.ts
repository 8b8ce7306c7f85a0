/** Checks the numbered entries of one directory as they pass: each is a JSON object; and keeps the proof of them. */
import { isStorableText } from '../../model/byte-text.js';
import { parseDocument, type JsonObject } from '../../model/json-object.js';
import type { DocumentBatch } from '../entries/document-batch.js';
import type { EntryKind } from '../layout.js';
import { RunningProof } from '../entries/running-proof.js';

/** Gets the number of an entry, and what is wrong with it. */
export type EntryReport = (number: number, reason: string) => void;

export class EntriesCheck extends RunningProof {
  readonly #judge: (object: JsonObject, number: number) => string | undefined;

  /** `judge` says what is wrong with an object. */
  constructor(kind: EntryKind, judge: (object: JsonObject, number: number) => string | undefined) {
    super(kind);
    this.#judge = judge;
  }

  check(batch: DocumentBatch, report: EntryReport): void {
    this.add(batch);
    const isText = isStorableText(batch.lines);
    for (const [index, text] of batch.texts().entries()) {
      const number = batch.firstNumber + index;
      const object = isText || isStorableText(batch.body(index)) ? parseDocument(text) : 'is not UTF-8';
      const fault = typeof object === 'string' ? object : this.#judge(object, number);
      if (fault !== undefined) report(number, fault);
    }
  }
}
