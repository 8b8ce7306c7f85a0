/** One table's documents, or its changes: numbered entries with the proof of them. The hot path of a backup. */
import type { EntriesProof } from '../model/manifest.js';
import type { BlockBuffer } from './block-buffer.js';
import type { EntryKind } from './layout.js';
import { RunningProof } from './running-proof.js';
import type { NumberedFileHeaders } from './ustar.js';

const newline = 0x0a;

export interface NumberedEntriesOptions {
  readonly kind: EntryKind;
  readonly headers: NumberedFileHeaders;
  /** Gives the headers of the directories that must stand before the first entry, and have not been laid yet. */
  readonly opening: () => readonly Buffer[];
}

export class NumberedEntries {
  readonly #buffer: BlockBuffer;
  readonly #headers: NumberedFileHeaders;
  readonly #opening: () => readonly Buffer[];
  readonly #proof: RunningProof;
  #next = 0;

  constructor(buffer: BlockBuffer, { kind, headers, opening }: NumberedEntriesOptions) {
    this.#buffer = buffer;
    this.#headers = headers;
    this.#opening = opening;
    this.#proof = new RunningProof(kind);
  }

  /**
   * Adds one entry for each text, in order, after everything that any table of the archive was given before. Resolves
   * when all but the last part of a buffer has been written.
   */
  async add(texts: readonly string[]): Promise<void> {
    if (texts.length > 0) await this.#buffer.inTurn(() => this.#lay(texts));
  }

  /** What has been added so far. */
  get added(): { readonly count: number; readonly bytes: number } {
    return this.#proof.added;
  }

  /** The proof of what was added. Nothing may be added after it. */
  finish(): EntriesProof {
    return this.#proof.proof;
  }

  async #lay(texts: readonly string[]): Promise<void> {
    if (this.#next === 0) for (const header of this.#opening()) await this.#buffer.layHeader(header);
    const entriesBefore = this.#buffer.entryCount;
    // One encoding and one hash update for the whole batch: JSON text has no raw newline, so it separates bodies.
    const lines = Buffer.from(`${texts.join('\n')}\n`);
    let largestBytes = 0;
    let count = 0;
    for (let start = 0; start < lines.length; count += 1) {
      const end = lines.indexOf(newline, start);
      if (!this.#buffer.lay(this.#headers, this.#next, lines, start, end)) {
        await this.#buffer.layWaiting(this.#headers, this.#next, lines, start, end);
      }
      this.#next += 1;
      if (end - start > largestBytes) largestBytes = end - start;
      start = end + 1;
    }
    if (count !== texts.length) throw new Error('a document is not one line of JSON text');
    this.#proof.add({ lines, count, largestBytes, entriesBefore });
  }
}
