/**
 * Checks the numbered entries of one directory as they pass, into an archive and out of one: each is a JSON object that
 * RethinkDB stores and accepts again. Keeps their checksums.
 */
import { failed, type Result } from '../../base/result.js';
import { isStorableText, type ByteText } from '../../model/byte-text.js';
import { isNestedDeeper } from '../../model/document-limits.js';
import { memberText } from '../../model/json-member.js';
import { parseDocument, type JsonObject } from '../../model/json-object.js';
import { limits, type EntryKind } from '../layout.js';
import { RunningChecksum, type EntryLines } from '../entries/running-checksum.js';

/** Called with the number of an entry, and what is wrong with it. */
type EntryReport = (number: number, reason: string) => void;

export interface CheckedLines extends EntryLines {
  readonly firstNumber: number;
  texts(): ByteText[];
  body(index: number): Buffer;
}

export class EntriesCheck extends RunningChecksum {
  readonly #kind: EntryKind;
  readonly #judge: (object: JsonObject) => string | undefined;

  /** `judge` says what is wrong with an object. */
  constructor(kind: EntryKind, judge: (object: JsonObject) => string | undefined) {
    super(kind);
    this.#kind = kind;
    this.#judge = judge;
  }

  check(batch: CheckedLines, report: EntryReport): void {
    this.add(batch);
    const isText = isStorableText(batch.lines);
    for (const [index, text] of batch.texts().entries()) {
      const number = batch.firstNumber + index;
      const parsed = isText || isStorableText(batch.body(index)) ? this.#parse(text) : failed('is not UTF-8');
      const fault = parsed.ok ? this.#judge(parsed.value) : parsed.reason;
      if (fault !== undefined) report(number, fault);
    }
  }

  #parse(text: ByteText): Result<JsonObject> {
    // The documents of a change are one level deeper.
    const maxDepth = limits.documentDepth + (this.#kind === 'changes' ? 1 : 0);
    if (isNestedDeeper(text, maxDepth)) return failed(`is nested deeper than ${limits.documentDepth}`);
    const parsed = parseDocument(text);
    const maxBytes = limits.entryBytes.documents;
    if (!parsed.ok || this.#kind === 'documents' || text.length <= maxBytes) return parsed;
    const documentBytes = memberText(text, 'new_val')?.length ?? 0;
    return documentBytes > maxBytes ? failed(`has a document of ${documentBytes} bytes`) : parsed;
  }
}
