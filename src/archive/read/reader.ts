/**
 * Reads one archive from front to back, in the memory of its largest document. Nothing is trusted and nothing is ever
 * unpacked: what does not belong into an archive is a finding and is passed over.
 */
import type { FindingSink } from '../../model/finding.js';
import { ByteSource } from '../tar/byte-source.js';
import { DamagedInputError } from '../damaged-input.js';
import { batchBytes, DocumentBatch } from '../entries/document-batch.js';
import { EntrySequence } from './entry-sequence.js';
import { entriesDirectory, layout, limits, placeOf, type EntryKind, type Place } from '../layout.js';
import { printable } from '../../base/printable.js';
import { FormatRules } from '../verify/format-rules.js';
import { UnpackedPaths } from '../verify/unpacked-paths.js';
import { isZeroPadding, TarEntries, type TarEntry } from '../tar/tar-entries.js';
import { typeName } from '../tar/tar-header.js';
import { blockBytes, paddingBytes, type NumberedFileHeaders } from '../tar/ustar.js';

/** What comes out of an archive, in its order. Bodies are good until the next item is asked for. */
export type ArchiveItem =
  | { readonly kind: 'table'; readonly table: string }
  /** Of kind 'documents' or 'changes'. */
  | DocumentBatch
  /** `path` is below `certs/`: `ca/rethink/cert.pem`. */
  | { readonly kind: 'certificate'; readonly path: string; readonly body: Buffer }
  /** `body` is for `decodeManifest`; `mtimeSeconds` is the one modification time of the archive's files. */
  | { readonly kind: 'manifest'; readonly body: Buffer; readonly mtimeSeconds: number | undefined };

export class ArchiveReader {
  readonly #source: ByteSource;
  readonly #findings: FindingSink;
  readonly #tar: TarEntries;
  readonly #form = new FormatRules();
  readonly #paths = new UnpackedPaths();
  readonly #batch = new DocumentBatch();
  readonly #sequences = new Map<string, EntrySequence>();
  /** Whose next entry is due, and its headers as our writer makes them. */
  #due: { readonly sequence: EntrySequence; readonly headers: NumberedFileHeaders } | undefined;
  /** Entries met, those of directories included. */
  #entryCount = 0;
  #root: string | undefined;
  #otherEntries = 0;
  #certificateBytes = 0;

  /** `chunks` is the tar itself, as `unwrapInput` gives it. It is read to its end only when no finding stops the reader before. */
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
        const neededBytes = this.#layDue();
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
   * The hot path: lays the due entries at hand into the batch, while their headers are exactly what our writer makes.
   * Gives how many bytes it needs to go on, or 0 where only `#take` can.
   */
  #layDue(): number {
    if (this.#due === undefined) return 0;
    const { sequence, headers } = this.#due;
    const { numbers } = sequence;
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
      if (!this.#batch.takes(sequence, numbers.next, bodyBytes)) return 0;
      if (!isZeroPadding(buffer, start + bodyBytes, padding)) return 0;
      this.#lay(sequence, numbers.next, buffer, start, start + bodyBytes);
      this.#source.advance(entryBytes);
    }
  }

  #lay(sequence: EntrySequence, number: number, source: Buffer, start: number, end: number): void {
    if (this.#batch.count === 0) this.#batch.begin(sequence, number, this.#entryCount);
    this.#batch.add(source, start, end);
    sequence.numbers.add(number);
    this.#entryCount += 1;
  }

  async *#take(entry: TarEntry): AsyncGenerator<ArchiveItem, void, undefined> {
    const place = this.#place(entry);
    if (entry.kind === 'other')
      this.#findings.add(entry.path, `is ${typeName(entry.type)}; an archive has files and directories`);
    for (const fault of this.#form.check(entry, place)) this.#findings.add(entry.path, fault, 'own');
    if (place?.kind === 'document' || place?.kind === 'change') {
      const sequence = this.#sequence(place.kind === 'document' ? 'documents' : 'changes', place.table);
      yield* this.#numbered(entry, sequence, place.number);
      return;
    }
    yield* this.#flush();
    this.#due = undefined;
    this.#entryCount += 1;
    this.#otherEntries += 1;
    if (this.#otherEntries > limits.otherEntries)
      this.#tar.stop(`has more than ${limits.otherEntries} entries besides documents and changes`);
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
    else if (parts.includes('.')) this.#findings.add(path, 'has a dot for a name in its path');
    else if (root !== '' && parts.includes('')) this.#findings.add(path, 'has an empty name in its path');
    else if (root !== '' && root !== (this.#root ??= root))
      this.#findings.add(path, `lies outside ${printable(this.#root)}/`);
    else if (root !== '' && kind !== 'other') {
      const fault = this.#paths.add(below.join('/'), kind === 'directory');
      if (fault !== undefined) this.#findings.add(path, fault);
      return placeOf(below.join('/'), kind === 'directory');
    }
    return undefined;
  }

  async *#numbered(
    entry: TarEntry,
    sequence: EntrySequence,
    number: number,
  ): AsyncGenerator<ArchiveItem, void, undefined> {
    const { kind, numbers } = sequence;
    if (number !== numbers.next) this.#findings.add(entry.path, `is out of sequence: expected ${numbers.next}`, 'own');
    if (entry.bytes > limits.entryBytes[kind]) {
      const bound = `RethinkDB takes no document beyond ${limits.entryBytes.documents}`;
      this.#findings.add(entry.path, `has ${entry.bytes} bytes: ${bound}`);
      numbers.add(number);
      this.#entryCount += 1;
      await this.#tar.skip(entry);
      return;
    }
    if (!this.#batch.takes(sequence, number, entry.bytes)) yield* this.#flush();
    const body = await this.#tar.body(entry);
    if (body === undefined) return;
    this.#lay(sequence, number, body, 0, body.length);
    const headers = sequence.headers(this.#root ?? '', entry.mtimeSeconds);
    this.#due = headers && { sequence, headers };
  }

  #sequence(kind: EntryKind, table: string): EntrySequence {
    const key = `${kind}/${table}`;
    const known = this.#sequences.get(key);
    if (known !== undefined) return known;
    const sequence = new EntrySequence(kind, table);
    this.#sequences.set(key, sequence);
    if (this.#sequences.size > 2 * limits.tables) this.#tar.stop(`has more than ${limits.tables} tables`);
    return sequence;
  }

  async *#file(entry: TarEntry, place: Place): AsyncGenerator<ArchiveItem, void, undefined> {
    const maxBytes = place.kind === 'manifest' ? limits.manifestBytes : limits.certificateBytes;
    if (entry.bytes > maxBytes) {
      this.#findings.add(entry.path, `has ${entry.bytes} bytes: nothing real needs more than ${maxBytes}`);
      await this.#tar.skip(entry);
      return;
    }
    if (place.kind === 'certificate') this.#certificateBytes += entry.bytes;
    if (this.#certificateBytes > limits.allCertificatesBytes) {
      this.#tar.stop(`has more than ${limits.allCertificatesBytes} bytes of certificate files`);
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
      const rest = this.#source.use(this.#source.available);
      restBytes += rest.length;
      isZero &&= rest.every((byte) => byte === 0);
    }
    if (restBytes > 0) this.#findings.add(undefined, `has ${restBytes} trailing bytes`, isZero ? 'own' : 'any');
    const conflict = this.#paths.conflict();
    if (conflict !== undefined)
      this.#findings.add(layout.certificate(this.#root ?? '', conflict), 'is a file and has others below it');
    const sequences = [...this.#sequences.values()];
    for (const { kind, table, numbers } of sequences) {
      if (numbers.isWhole) continue;
      const directory = entriesDirectory(this.#root ?? '', kind, table);
      this.#findings.add(directory, 'has entries that are not numbered 0, 1, 2 …', 'foreign');
    }
    if (!sequences.some(({ kind }) => kind === 'documents'))
      this.#findings.add(undefined, 'holds no document: it is no backup of DTR', 'foreign');
  }
}
