/**
 * One table's documents, or its changes: numbered entries with the proof of them. The hot path of a backup. What a reader
 * would refuse is refused here, by the same checks, before it is written. That takes a quarter more CPU in a whole backup
 * (60,000 documents of 800 bytes from RethinkDB 2.4.4: 1.00 s instead of 0.79), most of it in JSON.parse; parsing a batch as one
 * array is no faster, and nothing that parses less would be the same check.
 */
import { JobError } from '../../base/errors.js';
import type { ExitCode } from '../../base/exit-codes.js';
import type { DocumentEncoding, EntriesChecksum } from '../../model/manifest.js';
import { TableCheck, type KeyRules } from '../verify/table-check.js';
import type { BlockBuffer } from './block-buffer.js';
import { encodeDocuments, EncodingError } from '../entries/document-encoding.js';
import { LineBatch } from '../entries/line-batch.js';
import { limits, type EntryKind } from '../layout.js';
import type { RunningChecksum } from '../entries/running-checksum.js';
import type { NumberedFileHeaders } from '../tar/ustar.js';

/** What is known of a table whose entries are written. */
export interface TableRules extends KeyRules {
  /** `dtr2.tags`, for messages. */
  readonly label: string;
  readonly primaryKey: string;
  /** That of the entries as they are added; they are written in `documentEncoding`. */
  readonly sourceEncoding: DocumentEncoding;
  /** Of the JobError for an entry that no reader would take: it says where the entry came from. */
  readonly exitCode: ExitCode;
}

export interface NumberedEntriesOptions {
  readonly kind: EntryKind;
  readonly headers: NumberedFileHeaders;
  /** Gives the headers of the directories that must stand before the first entry, and have not been laid yet. */
  readonly opening: () => readonly Buffer[];
  readonly rules: TableRules;
}

export class NumberedEntries {
  readonly #buffer: BlockBuffer;
  readonly #options: NumberedEntriesOptions;
  readonly #check: TableCheck;
  readonly #checksums: RunningChecksum;
  readonly #maxBytes: number;
  #next = 0;

  constructor(buffer: BlockBuffer, options: NumberedEntriesOptions) {
    this.#buffer = buffer;
    this.#options = options;
    this.#check = new TableCheck(options.rules.primaryKey);
    this.#checksums = this.#check[options.kind];
    this.#maxBytes = limits.entryBytes[options.kind];
  }

  /**
   * Adds one entry for each line, in order, after everything that any table of the archive was given before. Each is
   * JSON text, which has no raw newline, and ends in one. Resolves when all but the last part of a buffer has been
   * written; the lines may be used again then. Throws a JobError for one that no reader takes.
   */
  async add(lines: Buffer): Promise<void> {
    if (lines.length > 0) await this.#buffer.inTurn(() => this.#lay(this.#encode(lines)));
  }

  /** What has been added so far. */
  get added(): { readonly count: number; readonly bytes: number } {
    return this.#checksums.added;
  }

  /** The proof of what was added. Nothing may be added after it. */
  finish(): EntriesChecksum {
    return this.#checksums.checksums;
  }

  async #lay(lines: Buffer): Promise<void> {
    const { headers, opening } = this.#options;
    if (this.#next === 0) for (const header of opening()) await this.#buffer.layHeader(header);
    const batch = new LineBatch(lines, this.#next, this.#buffer.entryCount);
    this.#judge(batch);
    let start = 0;
    for (const end of batch.ends) {
      if (!this.#buffer.lay(headers, this.#next, lines, start, end)) {
        await this.#buffer.layWaiting(headers, this.#next, lines, start, end);
      }
      this.#next += 1;
      start = end + 1;
    }
  }

  /** The same as a reader does with what it reads. */
  #judge(batch: LineBatch): void {
    if (batch.largestBytes > this.#maxBytes) throw this.#tooLarge(batch);
    const { kind, rules } = this.#options;
    this.#check[kind].check(batch, (number, reason) => {
      throw this.#refusal(number, reason);
    });
    const fault = this.#check.keyFault(kind, rules.primaryKey, rules);
    if (fault !== undefined) throw this.#refusal(fault.number, `${fault.reason} (${JSON.stringify(rules.primaryKey)})`);
  }

  #encode(lines: Buffer): Buffer {
    const { rules } = this.#options;
    if (rules.sourceEncoding === rules.documentEncoding) return lines;
    try {
      return encodeDocuments(lines, rules.documentEncoding);
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      throw this.#refusal(this.#next + error.index, `${error.message}; use --document-encoding reql`);
    }
  }

  #tooLarge(batch: LineBatch): JobError {
    const index = batch.ends.findIndex((end, at) => end - batch.start(at) > this.#maxBytes);
    const bytes = batch.body(index).length;
    return this.#refusal(this.#next + index, `has ${bytes} bytes: RethinkDB takes at most ${this.#maxBytes} back`);
  }

  #refusal(number: number, reason: string): JobError {
    const { kind, rules } = this.#options;
    const word = kind === 'documents' ? 'document' : 'change';
    return new JobError(rules.exitCode, `${word} ${number} of ${rules.label} ${reason}`);
  }
}
