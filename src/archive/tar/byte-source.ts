/** Bytes asked for by count, whatever chunks they come in: looked at, taken in one piece, or passed on. */

const empty = Buffer.alloc(0);

export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #failure: { readonly error: unknown } | undefined;
  #buffer: Buffer = empty;
  /** Reused memory for pieces that span chunks. */
  #own: Buffer = empty;
  /** Whether bytes of it were given by `take`, so that it cannot be reused. */
  #isOwnTaken = false;
  #offset = 0;
  /** Bytes of all buffers before the present one. */
  #before = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The bytes read ahead begin at `offset` of `buffer`; valid until the next `fill`, `peek` or `skip`. */
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

  /** Reads ahead until `count` bytes are available in one piece. False when the input ends before; its error, each time. */
  async fill(count: number): Promise<boolean> {
    while (this.available < count) {
      const next = await this.#next();
      if (next.done === true) return false;
      this.#append(next.value, count);
    }
    return true;
  }

  /** An iterator that has failed reports its end when it is read again: the failure is repeated instead. */
  async #next(): Promise<IteratorResult<Buffer, unknown>> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return await this.#chunks.next();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Appends a chunk: uncopied if nothing is left before it, else copied with the rest into reused memory. */
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

  /** The next `count` bytes, which stay; fewer at the end of the input. Valid until the next `fill`, `peek` or `skip`. */
  async peek(count: number): Promise<Buffer> {
    await this.fill(count);
    return this.#buffer.subarray(this.#offset, this.#offset + count);
  }

  /** Takes `count` available bytes, which stay valid. */
  take(count: number): Buffer {
    if (this.#buffer.buffer === this.#own.buffer) this.#isOwnTaken = true;
    return this.use(count);
  }

  /** Takes `count` available bytes, which are valid until the next `fill`, `peek` or `skip`. */
  use(count: number): Buffer {
    const start = this.#offset;
    this.advance(count);
    return this.#buffer.subarray(start, this.#offset);
  }

  /** Skips `count` available bytes. */
  advance(count: number): void {
    if (count > this.available) throw new RangeError(`${count} bytes are not available`);
    this.#offset += count;
  }

  /** Skips `count` bytes without holding them. False when the input ends before. */
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

  /** All bytes that were not taken, as chunks that may be kept. Closes the input at the end. */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    try {
      while (await this.fill(1)) yield this.take(this.available);
    } finally {
      await this.close();
    }
  }

  /** Reads to the end, or until more than `limit` bytes were passed over; gives their number. */
  async drain(limit = Infinity): Promise<number> {
    const start = this.position;
    while (this.position - start <= limit && (await this.fill(1))) this.advance(this.available);
    return this.position - start;
  }

  /** Ends the input early. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
