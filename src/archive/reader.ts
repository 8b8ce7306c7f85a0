/**
 * Reads one archive from front to back, in the memory of its largest document. Nothing is trusted and nothing is ever
 * unpacked: what does not belong into an archive is a finding and is passed over.
 */
import type { FindingSink } from './findings.js';
import { ByteSource } from './byte-source.js';
import { DamagedInputError } from './decompression.js';
import { batchBytes, DocumentBatch } from './document-batch.js';
import { EntryNumbers } from './entry-numbers.js';
import { fitsLayout, layout, placeOf, type Place } from './layout.js';
import { printable } from '../model/finding.js';
import { OwnForm } from './own-form.js';
import { isZeroPadding, TarEntries, type TarEntry } from './tar-entries.js';
import { blockBytes, NumberedFileHeaders, paddingBytes } from './ustar.js';

/** What comes out of an archive, in its order. Bodies are good until the next item is asked for. */
export type ArchiveItem =
  | { readonly kind: 'table'; readonly table: string }
  | DocumentBatch
  /** `path` is below `certs/`: `ca/rethink/cert.pem`. */
  | { readonly kind: 'certificate'; readonly path: string; readonly body: Buffer }
  /** `body` is for `decodeManifest`; `mtimeSeconds` is the one modification time of the archive's files. */
  | { readonly kind: 'manifest'; readonly body: Buffer; readonly mtimeSeconds: number | undefined };

/** The largest query that RethinkDB takes: no document can be larger. */
export const mostDocumentBytes = 128 * 1024 * 1024;

/** A replica has some dozens of certificate files of a few kB, and a manifest of some hundred kB. */
const mostOtherBytes = 16 * 1024 * 1024;
const mostOtherEntries = 10_000;

export class ArchiveReader {
  readonly #source: ByteSource;
  readonly #findings: FindingSink;
  readonly #tar: TarEntries;
  readonly #form = new OwnForm();
  readonly #batch = new DocumentBatch();
  readonly #numbers = new Map<string, EntryNumbers>();
  /** The table whose rows are due, and its headers as our writer makes them. */
  #rows: { readonly table: string; readonly numbers: EntryNumbers; readonly headers: NumberedFileHeaders } | undefined;
  #root: string | undefined;
  #otherEntries = 0;

  /** `chunks` is the tar itself, decompressed. It is read to its end only when no finding stops the reader before. */
  constructor(chunks: AsyncIterable<Buffer>, findings: FindingSink) {
    this.#source = new ByteSource(chunks);
    this.#findings = findings;
    this.#tar = new TarEntries(this.#source, findings);
  }

  /** The one root directory, as far as it is known by now. */
  get root(): string | undefined {
    return this.#root;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#source.position;
  }

  /** Yields the archive. Throws only what the input throws; everything that is wrong with an archive is a finding. */
  async *items(): AsyncGenerator<ArchiveItem, void, undefined> {
    try {
      for (;;) {
        const neededBytes = this.#layRows();
        if (neededBytes > 0 && (await this.#source.fill(neededBytes))) continue;
        const entry = await this.#tar.next();
        if (entry === undefined) break;
        yield* this.#take(entry);
      }
      yield* this.#flush();
      if (!this.#tar.isBroken) await this.#end();
    } catch (error) {
      if (!(error instanceof DamagedInputError)) throw error;
      this.#findings.add(undefined, error.message);
    } finally {
      await this.#source.close();
    }
  }

  /**
   * The hot path: lays the due rows at hand into the batch, while their headers are exactly what our writer makes.
   * Gives how many bytes it needs to go on, or 0 where only `#take` can.
   */
  #layRows(): number {
    if (this.#rows === undefined) return 0;
    const { table, numbers, headers } = this.#rows;
    const { buffer } = this.#source;
    for (;;) {
      const { offset, available } = this.#source;
      if (available < blockBytes) return blockBytes;
      const bodyBytes = headers.recognise(buffer, offset, numbers.next);
      if (bodyBytes === undefined || bodyBytes > batchBytes) return 0;
      const start = offset + blockBytes;
      const padding = paddingBytes(bodyBytes);
      const entryBytes = blockBytes + bodyBytes + padding;
      if (available < entryBytes) return entryBytes;
      if (!this.#batch.takes(table, numbers.next, bodyBytes)) return 0;
      if (!isZeroPadding(buffer, start + bodyBytes, padding)) return 0;
      this.#batch.add(table, numbers.next, buffer, start, start + bodyBytes);
      numbers.add(numbers.next);
      this.#source.advance(entryBytes);
    }
  }

  async *#take(entry: TarEntry): AsyncGenerator<ArchiveItem, void, undefined> {
    const place = this.#place(entry);
    for (const fault of this.#form.check(entry, place)) this.#findings.add(entry.path, fault, 'own');
    if (place?.kind === 'document') {
      yield* this.#document(entry, place.table, place.number);
      return;
    }
    yield* this.#flush();
    this.#rows = undefined;
    this.#otherEntries += 1;
    if (this.#otherEntries > mostOtherEntries)
      this.#tar.stop(`has more than ${mostOtherEntries} entries besides documents`);
    else if (place?.kind === 'table') yield { kind: 'table', table: place.table };
    else if (place?.kind === 'certificate' || place?.kind === 'manifest') yield* this.#file(entry, place);
    else await this.#tar.skip(entry);
  }

  /** Judges the path. Undefined for what has no place; what could harm somebody who unpacks it is a finding. */
  #place({ path, kind }: TarEntry): Place | undefined {
    const parts = path.replace(/^\.\//, '').replace(/\/$/, '').split('/');
    const [root = '', ...below] = parts;
    if (path.startsWith('/')) this.#findings.add(path, 'is an absolute path');
    else if (parts.includes('..')) this.#findings.add(path, 'leads out of its directory (..)');
    else if (root !== '' && parts.includes('')) this.#findings.add(path, 'has an empty name in its path');
    else if (root !== '' && root !== (this.#root ??= root))
      this.#findings.add(path, `lies outside ${printable(this.#root)}/`);
    else if (root !== '' && kind !== 'other') return placeOf(below.join('/'), kind === 'directory');
    return undefined;
  }

  async *#document(entry: TarEntry, table: string, number: number): AsyncGenerator<ArchiveItem, void, undefined> {
    const numbers = this.#numbersOf(table);
    if (number !== numbers.next) this.#findings.add(entry.path, `stands where ${numbers.next} is due`, 'own');
    numbers.add(number);
    if (this.#numbers.size > mostOtherEntries) this.#tar.stop(`has more than ${mostOtherEntries} tables`);
    if (entry.bytes > mostDocumentBytes) {
      this.#findings.add(
        entry.path,
        `has ${entry.bytes} bytes: RethinkDB holds no document beyond ${mostDocumentBytes}`,
      );
      await this.#tar.skip(entry);
      return;
    }
    if (!this.#batch.takes(table, number, entry.bytes)) yield* this.#flush();
    const body = await this.#tar.body(entry);
    if (body !== undefined) this.#batch.add(table, number, body, 0, body.length);
    this.#expectRows(table, numbers, entry.mtimeSeconds);
  }

  #numbersOf(table: string): EntryNumbers {
    const known = this.#numbers.get(table);
    if (known !== undefined) return known;
    const numbers = new EntryNumbers();
    this.#numbers.set(table, numbers);
    return numbers;
  }

  #expectRows(table: string, numbers: EntryNumbers, mtimeSeconds: number): void {
    const root = this.#root ?? '';
    if (this.#rows?.table === table || !fitsLayout(root, table)) return;
    this.#rows = { table, numbers, headers: new NumberedFileHeaders(layout.table(root, table), mtimeSeconds) };
  }

  async *#file(entry: TarEntry, place: Place): AsyncGenerator<ArchiveItem, void, undefined> {
    if (entry.bytes > mostOtherBytes) {
      this.#findings.add(entry.path, `has ${entry.bytes} bytes: nothing real needs more than ${mostOtherBytes}`);
      await this.#tar.skip(entry);
      return;
    }
    const body = await this.#tar.body(entry);
    if (body === undefined) return;
    if (place.kind === 'certificate') yield { kind: 'certificate', path: place.path, body };
    else yield { kind: 'manifest', body, mtimeSeconds: this.#form.fileMtimeSeconds };
  }

  *#flush(): Generator<DocumentBatch, void, undefined> {
    if (this.#batch.count === 0) return;
    yield this.#batch;
    this.#batch.clear();
  }

  /** After the end blocks. GNU tar fills up its last 10 KiB with zeros; ours ends there. */
  async #end(): Promise<void> {
    let restBytes = 0;
    let isZero = true;
    while (await this.#source.fill(1)) {
      const rest = this.#source.take(this.#source.available);
      restBytes += rest.length;
      isZero &&= rest.every((byte) => byte === 0);
    }
    if (restBytes > 0)
      this.#findings.add(undefined, `goes on for ${restBytes} bytes after its end`, isZero ? 'own' : 'any');
    for (const [table, numbers] of this.#numbers) {
      if (numbers.isWhole) continue;
      this.#findings.add(
        layout.table(this.#root ?? '', table),
        'has entries that are not numbered 0, 1, 2 …',
        'foreign',
      );
    }
    if (this.#numbers.size === 0) this.#findings.add(undefined, 'holds no document: it is no backup of DTR', 'foreign');
  }
}
