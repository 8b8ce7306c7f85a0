/**
 * The one buffer, of 1 MiB, through which rows, changes and directories go into an archive: in the order in which they are
 * added, and in the same memory however many tables are written at once.
 */
import type { Output } from '../../model/archive-stream.js';
import { blockBytes, paddingBytes, type NumberedFileHeaders } from '../tar/ustar.js';

const bufferBytes = 1024 * 1024;
const padding = Buffer.alloc(blockBytes);

export class BlockBuffer {
  readonly #output: Output;
  readonly #buffer = Buffer.allocUnsafe(bufferBytes);
  #filled = 0;
  #entryCount = 0;
  /** Settles when all that was asked for so far is done. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(output: Output) {
    this.#output = output;
  }

  /** How many entries have been laid, directories included. */
  get entryCount(): number {
    return this.#entryCount;
  }

  /** Runs `lay` when all that was asked for before is done. After a failure every later call rejects with it. */
  inTurn<T>(lay: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(lay);
    this.#turn = turn;
    return turn;
  }

  /** Writes a file's entry, all of it as `encodeFileEntry` gives it. */
  async layFile(entry: Buffer): Promise<void> {
    await this.flush();
    await this.#output.write(entry);
    this.#entryCount += 1;
  }

  /** Lays an entry without a body, which is a directory. */
  async layHeader(header: Buffer): Promise<void> {
    if (this.#room() < blockBytes) await this.flush();
    this.#filled += header.copy(this.#buffer, this.#filled);
    this.#entryCount += 1;
  }

  /** Lays entry `number` if its place in the buffer is free; otherwise `layWaiting` must. */
  lay(headers: NumberedFileHeaders, number: number, source: Buffer, start: number, end: number): boolean {
    const bodyBytes = end - start;
    const pad = paddingBytes(bodyBytes);
    if (this.#room() < blockBytes + bodyBytes + pad) return false;
    headers.write(this.#buffer, this.#filled, number, bodyBytes);
    this.#filled += blockBytes;
    this.#filled += source.copy(this.#buffer, this.#filled, start, end);
    this.#buffer.fill(0, this.#filled, this.#filled + pad);
    this.#filled += pad;
    this.#entryCount += 1;
    return true;
  }

  /** The same, after what is in the buffer has been written. A body larger than the buffer goes out without a copy. */
  async layWaiting(
    headers: NumberedFileHeaders,
    number: number,
    source: Buffer,
    start: number,
    end: number,
  ): Promise<void> {
    await this.flush();
    if (this.lay(headers, number, source, start, end)) return;
    headers.write(this.#buffer, 0, number, end - start);
    this.#filled = blockBytes;
    this.#entryCount += 1;
    await this.flush();
    await this.#output.write(source.subarray(start, end));
    const pad = paddingBytes(end - start);
    if (pad > 0) await this.#output.write(padding.subarray(0, pad));
  }

  /** Writes what is in the buffer. */
  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#output.write(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #room(): number {
    return this.#buffer.length - this.#filled;
  }
}
