/** One table's documents, or its changes: numbered entries with the proof of them. The hot path of a backup. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { EntriesProof } from '../../model/manifest.js';
import type { BlockBuffer } from './block-buffer.js';
import { most, type EntryKind } from '../layout.js';
import { RunningProof } from './running-proof.js';
import type { NumberedFileHeaders } from '../tar/ustar.js';

const newline = 0x0a;

export interface NumberedEntriesOptions {
  readonly kind: EntryKind;
  /** Where they lie, with a slash at its end. */
  readonly directory: string;
  readonly headers: NumberedFileHeaders;
  /** Gives the headers of the directories that must stand before the first entry, and have not been laid yet. */
  readonly opening: () => readonly Buffer[];
}

export class NumberedEntries {
  readonly #buffer: BlockBuffer;
  readonly #headers: NumberedFileHeaders;
  readonly #opening: () => readonly Buffer[];
  readonly #proof: RunningProof;
  readonly #directory: string;
  readonly #mostBytes: number;
  #next = 0;

  constructor(buffer: BlockBuffer, { kind, directory, headers, opening }: NumberedEntriesOptions) {
    this.#buffer = buffer;
    this.#headers = headers;
    this.#opening = opening;
    this.#proof = new RunningProof(kind);
    this.#directory = directory;
    this.#mostBytes = most.entryBytes[kind];
  }

  /**
   * Adds one entry for each line, in order, after everything that any table of the archive was given before. Each is
   * JSON text, which has no raw newline, and ends in one. Resolves when all but the last part of a buffer has been
   * written; the lines may be used again then. Throws a JobError for one that no reader takes.
   */
  async add(lines: Buffer): Promise<void> {
    if (lines.length > 0) await this.#buffer.inTurn(() => this.#lay(lines));
  }

  /** What has been added so far. */
  get added(): { readonly count: number; readonly bytes: number } {
    return this.#proof.added;
  }

  /** The proof of what was added. Nothing may be added after it. */
  finish(): EntriesProof {
    return this.#proof.proof;
  }

  async #lay(lines: Buffer): Promise<void> {
    if (lines.at(-1) !== newline) throw new Error('entries do not end in a newline');
    if (this.#next === 0) for (const header of this.#opening()) await this.#buffer.layHeader(header);
    const entriesBefore = this.#buffer.entryCount;
    let largestBytes = 0;
    let count = 0;
    for (let start = 0; start < lines.length; count += 1) {
      const end = lines.indexOf(newline, start);
      if (end - start > this.#mostBytes) throw this.#tooLarge(end - start);
      if (!this.#buffer.lay(this.#headers, this.#next, lines, start, end)) {
        await this.#buffer.layWaiting(this.#headers, this.#next, lines, start, end);
      }
      this.#next += 1;
      if (end - start > largestBytes) largestBytes = end - start;
      start = end + 1;
    }
    this.#proof.add({ lines, count, largestBytes, entriesBefore });
  }

  #tooLarge(bytes: number): JobError {
    const what = `${this.#directory}${this.#next} would have ${bytes} bytes`;
    return new JobError(ExitCode.rethinkdb, `${what}: an archive takes at most ${this.#mostBytes}`);
  }
}
