/** Whether a stream went through something that made CR LF of every LF: FTP in text mode, git, a shell of Windows. */

/** Fewer may be by chance: of random bytes one in 256 is a CR. */
const fewest = 8;

export class LineEnds {
  #count = 0;
  #isConverted = true;
  #last = 0;

  /** Gives the chunks as they are. Reading stops costing anything at the first LF that stands alone. */
  async *watch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of chunks) {
      if (this.#isConverted) this.#look(chunk);
      yield chunk;
    }
  }

  /** What probably happened to what turns out to be damaged; undefined where nothing shows it. */
  hint(): string | undefined {
    if (!this.#isConverted || this.#count < fewest) return undefined;
    return 'every LF in it follows a CR, as if it had been sent as text: send it as binary';
  }

  #look(chunk: Buffer): void {
    for (let at = chunk.indexOf(0x0a); at !== -1 && this.#isConverted; at = chunk.indexOf(0x0a, at + 1)) {
      this.#isConverted = (at === 0 ? this.#last : chunk[at - 1]) === 0x0d;
      this.#count += 1;
    }
    this.#last = chunk.at(-1) ?? this.#last;
  }
}
