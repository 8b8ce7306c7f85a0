/** The bytes of an archive, whatever chunks they come in: asked for by number, given in one piece. */

const empty = Buffer.alloc(0);

export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = empty;
  /** Of the largest piece that had to be put together. */
  #own: Buffer = empty;
  /** Whether somebody keeps bytes of it. */
  #isOwnTaken = false;
  #offset = 0;
  /** Bytes of all buffers before the present one. */
  #before = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** What is at hand begins at `offset` of `buffer`; good until the next `fill` or `skip`. */
  get buffer(): Buffer {
    return this.#buffer;
  }
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes have been taken. */
  get position(): number {
    return this.#before + this.#offset;
  }

  /** How many bytes can be taken without waiting. */
  get available(): number {
    return this.#buffer.length - this.#offset;
  }

  /** Waits until `count` bytes are at hand in one piece. False when the input ends before. */
  async fill(count: number): Promise<boolean> {
    while (this.available < count) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      this.#append(next.value, count);
    }
    return true;
  }

  /** Puts a chunk behind what is at hand: as it is behind nothing, else copied together into memory that is used again. */
  #append(chunk: Buffer, wanted: number): void {
    const rest = this.#buffer.subarray(this.#offset);
    const length = rest.length + chunk.length;
    this.#before += this.#offset;
    this.#offset = 0;
    if (rest.length === 0) {
      this.#buffer = chunk;
      return;
    }
    const isFree = !this.#isOwnTaken && this.#own.length >= length;
    if (!isFree) this.#own = Buffer.allocUnsafeSlow(wanted + chunk.length);
    this.#isOwnTaken = false;
    const isInPlace = rest.buffer === this.#own.buffer && rest.byteOffset === this.#own.byteOffset;
    if (!isInPlace) rest.copy(this.#own);
    chunk.copy(this.#own, rest.length);
    this.#buffer = this.#own.subarray(0, length);
  }

  /** Takes `count` bytes, which must be at hand. They stay as they are, however long they are kept. */
  take(count: number): Buffer {
    if (this.#buffer.buffer === this.#own.buffer) this.#isOwnTaken = true;
    return this.use(count);
  }

  /** Takes `count` bytes, which must be at hand, for somebody who is done with them before the next `fill` or `skip`. */
  use(count: number): Buffer {
    const start = this.#offset;
    this.advance(count);
    return this.#buffer.subarray(start, this.#offset);
  }

  /** Passes over bytes at hand. */
  advance(count: number): void {
    if (count > this.available) throw new RangeError(`${count} bytes are not at hand`);
    this.#offset += count;
  }

  /** Passes over `count` bytes without holding them. False when the input ends before. */
  async skip(count: number): Promise<boolean> {
    let left = count;
    while (left > 0) {
      if (this.available === 0 && !(await this.fill(1))) return false;
      const step = Math.min(left, this.available);
      this.#offset += step;
      left -= step;
    }
    return true;
  }

  /** Ends the input early. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
