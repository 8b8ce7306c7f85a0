/**
 * One table's numbered entries: lays documents into blocks of about 1 MiB with their tar headers, and keeps the proof
 * (count, bytes, largest, SHA-256) of what it laid. The hot path: everything per document is synchronous.
 */
import { createHash } from 'node:crypto';
import type { EntriesProof } from '../model/manifest.js';
import type { Output } from './output.js';
import { blockBytes, NumberedFileHeaders, paddingBytes } from './ustar.js';

const bufferBytes = 1024 * 1024;
const newline = 0x0a;
const padding = Buffer.alloc(blockBytes);

export class TableEntries {
  readonly #output: Output;
  readonly #headers: NumberedFileHeaders;
  readonly #hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafe(bufferBytes);
  #filled = 0;
  #count = 0;
  #bytes = 0;
  #largestBytes = 0;

  /** `directory` ends in a slash. Its header must have been written already. */
  constructor(output: Output, directory: string, mtimeSeconds: number) {
    this.#output = output;
    this.#headers = new NumberedFileHeaders(directory, mtimeSeconds);
  }

  /** Adds one entry for each text, in order. Resolves when all but the last part of a buffer has been written. */
  async add(texts: readonly string[]): Promise<void> {
    if (texts.length === 0) return;
    // One encoding and one hash update for the whole batch: JSON text has no raw newline, so it separates bodies.
    const bodies = Buffer.from(`${texts.join('\n')}\n`);
    let start = 0;
    let added = 0;
    for (; start < bodies.length; added += 1) {
      const end = bodies.indexOf(newline, start);
      if (this.#room() < entryBytes(end - start)) await this.flush();
      if (this.#room() < entryBytes(end - start)) await this.#writeLarge(bodies.subarray(start, end));
      else this.#lay(bodies, start, end);
      start = end + 1;
    }
    if (added !== texts.length) throw new Error('a document is not one line of JSON text');
    this.#hash.update(bodies);
    this.#bytes += bodies.length - added;
  }

  /** Writes what is left in the buffer. */
  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#output.write(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  /** What has been added so far. */
  get added(): { readonly count: number; readonly bytes: number } {
    return { count: this.#count, bytes: this.#bytes };
  }

  /** Writes what is left and gives the proof. Called once, last. */
  async finish(): Promise<EntriesProof> {
    await this.flush();
    return {
      count: this.#count,
      bytes: this.#bytes,
      largestBytes: this.#largestBytes,
      sha256: this.#hash.digest('hex'),
    };
  }

  #room(): number {
    return this.#buffer.length - this.#filled;
  }

  #lay(bodies: Buffer, start: number, end: number): void {
    this.#layHeader(end - start);
    this.#filled += bodies.copy(this.#buffer, this.#filled, start, end);
    const pad = paddingBytes(end - start);
    this.#buffer.fill(0, this.#filled, this.#filled + pad);
    this.#filled += pad;
  }

  /** A body larger than the buffer goes out as it is, without a copy. */
  async #writeLarge(body: Buffer): Promise<void> {
    this.#layHeader(body.length);
    await this.flush();
    await this.#output.write(body);
    const pad = paddingBytes(body.length);
    if (pad > 0) await this.#output.write(padding.subarray(0, pad));
  }

  #layHeader(bodyBytes: number): void {
    this.#headers.write(this.#buffer, this.#filled, this.#count, bodyBytes);
    this.#filled += blockBytes;
    this.#count += 1;
    this.#largestBytes = Math.max(this.#largestBytes, bodyBytes);
  }
}

/** Header, body and padding. */
function entryBytes(bodyBytes: number): number {
  return blockBytes + bodyBytes + paddingBytes(bodyBytes);
}
