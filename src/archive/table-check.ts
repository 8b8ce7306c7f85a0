/** Checks one table's documents as they pass, and keeps the proof of them for the comparison with the manifest. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { EntriesProof } from '../model/manifest.js';
import type { DocumentBatch } from './document-batch.js';
import { PrimaryKeys, type JsonObject } from './primary-keys.js';

export class TableCheck {
  readonly keys = new PrimaryKeys();
  readonly #hash = createHash('sha256');
  #count = 0;
  #bytes = 0;
  #largestBytes = 0;

  /** `report` gets the number of each entry whose body is no document, and why. */
  add(batch: DocumentBatch, report: (number: number, reason: string) => void): void {
    const { firstNumber, lines } = batch;
    this.#hash.update(lines);
    this.#count += batch.count;
    this.#bytes += batch.bytes;
    this.#largestBytes = Math.max(this.#largestBytes, batch.largestBytes);
    const isText = isUtf8(lines);
    for (const [index, text] of batch.texts().entries()) {
      const number = firstNumber + index;
      const document = isText || isUtf8(batch.body(index)) ? parseObject(text) : 'is not UTF-8';
      if (typeof document === 'string') report(number, document);
      else this.keys.add(document, number);
    }
  }

  /** Of everything added so far. */
  get proof(): EntriesProof {
    return {
      count: this.#count,
      bytes: this.#bytes,
      largestBytes: this.#largestBytes,
      sha256: this.#hash.copy().digest('hex'),
    };
  }

  get added(): { readonly count: number; readonly bytes: number } {
    return { count: this.#count, bytes: this.#bytes };
  }
}

/** The document, or what is wrong with the text. */
function parseObject(text: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as JsonObject) : 'is JSON, but not an object';
  } catch {
    // The parser's own message quotes the document, which may be a private key.
    return 'is not JSON';
  }
}
