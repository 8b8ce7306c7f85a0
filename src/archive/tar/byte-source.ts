/** The bytes of an archive, whatever chunks they come in: asked for by number, given in one piece. */

const empty = Buffer.alloc(0);

export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = empty;
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
    if (this.available >= count) return true;
    const pieces = [this.#buffer.subarray(this.#offset)];
    let gathered = this.available;
    this.#before += this.#offset;
    while (gathered < count) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      pieces.push(next.value);
      gathered += next.value.length;
    }
    const [first = empty, ...others] = pieces.filter(({ length }) => length > 0);
    this.#buffer = others.length === 0 ? first : Buffer.concat([first, ...others], gathered);
    this.#offset = 0;
    return gathered >= count;
  }

  /** Takes `count` bytes, which must be at hand. They are good until the next `fill` or `skip`. */
  take(count: number): Buffer {
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
