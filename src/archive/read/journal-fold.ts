/**
 * Folds journals into rows. First all changes are added, then the rows pass: a changed row is replaced in its place by its
 * last version, or left out; new documents come after the rows. The journal is kept on disk, and in memory a digest of each
 * key in it.
 */
import { createHash } from 'node:crypto';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { parseChange, keyIdentity } from '../../model/change.js';
import { byteTextOf, bytesOfText, encodeText, type ByteText } from '../../model/byte-text.js';
import { memberText } from '../../model/json-member.js';
import { parseDocument, type JsonObject } from '../../model/json-object.js';
import type { DocumentBatch } from '../entries/document-batch.js';
import { limits } from '../layout.js';
import { SpoolFile } from '../../base/spool-file.js';

/** What is stored of a change, before the text of its new document. */
interface ChangeRecord {
  /** Of the change of the same table before this one, plus 1; 0 for the first. */
  readonly previous: number;
  readonly digest: string;
  /** How many entries of the archive precede the change. */
  readonly entriesBefore: number;
  /** 0 where the document is gone. */
  readonly textBytes: number;
}

const digestBytes = 16;
const headBytes = 8 + digestBytes + 8 + 8;
const done = -1;
const batchBytes = 256 * 1024;

export class JournalFold implements Disposable {
  /** Records, one after the other. */
  readonly #records: SpoolFile;
  /** By key: the last record's place plus 1, or `done` when it has replaced a row. */
  readonly #last = new Map<string, number>();
  /** By table: the last record's place plus 1. */
  readonly #tails = new Map<string, number>();

  /**
   * For all journals of an archive, which has been verified; records are kept in a temporary file in `directory`. Throws a
   * JobError with exit code 9 where there are more changes than `limits.foldedChanges`.
   */
  constructor(changeCount: number, directory: string) {
    if (changeCount > limits.foldedChanges) {
      const most = `at most ${limits.foldedChanges} can be folded into the rows`;
      throw new JobError(ExitCode.archiveInvalid, `the archive has ${changeCount} changes: ${most}`);
    }
    this.#records = new SpoolFile(directory);
  }

  /** Adds changes in the order of the archive. Throws a JobError with exit code 9 for one with two primary keys. */
  addChanges(batch: DocumentBatch, primaryKey: string): void {
    const keyName = encodeText(primaryKey);
    for (const [index, text] of batch.texts().entries()) {
      const change = parseChange(objectOf(text));
      if (!change.ok) throw unfoldable(batch, index, change.reason);
      const { oldValue, newValue } = change.value;
      const digest = digestOf(batch.directory, (newValue ?? oldValue)[keyName]);
      // In encoding dtr a TIME is text whose zone may change, and cannot be told from other text.
      if (oldValue !== undefined && digest !== digestOf(batch.directory, oldValue[keyName])) {
        throw unfoldable(batch, index, 'writes its primary key in two ways');
      }
      const document = bytesOfText((newValue && memberText(text, 'new_val')) ?? encodeText(''));
      const head = encodeHead({
        previous: this.#tails.get(batch.directory) ?? 0,
        digest,
        entriesBefore: batch.entriesBefore + index,
        textBytes: document.length,
      });
      const place = this.#records.append(head, document) + 1;
      this.#tails.set(batch.directory, place);
      this.#last.set(digest, place);
    }
  }

  /** The rows as they are after all changes, each followed by one newline; valid as long as the batch is. */
  rows(batch: DocumentBatch, primaryKey: string): Buffer {
    if (!this.#tails.has(batch.directory)) return batch.lines;
    const keyName = encodeText(primaryKey);
    const texts = batch.texts().flatMap((text, index) => {
      const digest = digestOf(batch.directory, objectOf(text)[keyName]);
      const place = this.#last.get(digest);
      if (place === undefined) return [text];
      if (place === done) return [];
      this.#last.set(digest, done);
      const record = this.#recordAt(place);
      // Applied in the order of the archive, this row is written after those changes.
      if (record.entriesBefore < batch.entriesBefore + index) return [text];
      return record.textBytes === 0 ? [] : [this.#textOf(place, record)];
    });
    return linesOf(texts);
  }

  /** Called once, after all rows of the table: gives the documents that are in no row, the last change first, as lines. */
  *added(directory: string): Generator<Buffer, void, undefined> {
    let texts: ByteText[] = [];
    let bytes = 0;
    for (let place = this.#tails.get(directory) ?? 0; place > 0;) {
      const record = this.#recordAt(place);
      if (record.textBytes > 0 && this.#last.get(record.digest) === place) {
        texts.push(this.#textOf(place, record));
        bytes += record.textBytes;
      }
      if (bytes > batchBytes) {
        yield linesOf(texts);
        texts = [];
        bytes = 0;
      }
      place = record.previous;
    }
    yield linesOf(texts);
  }

  [Symbol.dispose](): void {
    this.#records[Symbol.dispose]();
    this.#last.clear();
  }

  #recordAt(place: number): ChangeRecord {
    return decodeHead(this.#records.read(Buffer.alloc(headBytes), place - 1));
  }

  #textOf(place: number, { textBytes }: ChangeRecord): ByteText {
    return byteTextOf(this.#records.read(Buffer.alloc(textBytes), place - 1 + headBytes));
  }
}

function linesOf(texts: readonly ByteText[]): Buffer {
  return bytesOfText(texts.map((text) => `${text}\n`).join('') as ByteText);
}

function encodeHead({ previous, digest, entriesBefore, textBytes }: ChangeRecord): Buffer {
  const head = Buffer.alloc(headBytes);
  head.write(digest, 'latin1');
  for (const [index, value] of [previous, entriesBefore, textBytes].entries()) {
    head.writeDoubleLE(value, digestBytes + 8 * index);
  }
  return head;
}

function decodeHead(head: Buffer): ChangeRecord {
  const [previous = 0, entriesBefore = 0, textBytes = 0] = [0, 1, 2].map((index) =>
    head.readDoubleLE(digestBytes + 8 * index),
  );
  return { previous, digest: head.toString('latin1', 0, digestBytes), entriesBefore, textBytes };
}

/** 128 bits of SHA-256, one character for each byte. */
function digestOf(directory: string, key: unknown): string {
  return createHash('sha256')
    .update(`${directory}/${keyIdentity(key)}`)
    .digest()
    .toString('latin1', 0, digestBytes);
}

function objectOf(text: ByteText): JsonObject {
  const parsed = parseDocument(text);
  return parsed.ok ? parsed.value : {};
}

function unfoldable({ directory, firstNumber }: DocumentBatch, index: number, why: string): JobError {
  const entry = `change ${firstNumber + index} of table ${directory}`;
  return new JobError(ExitCode.archiveInvalid, `the journal cannot be folded into the rows: ${entry} ${why}`);
}
