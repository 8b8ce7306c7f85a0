/**
 * Reads one archive from front to back, in the memory of its largest document. Nothing in it is trusted and nothing is
 * unpacked: what does not belong into an archive is a finding and is skipped.
 */
import { printable } from '../../base/printable.js';
import type { FindingSink } from '../../model/finding.js';
import type { Plan } from '../../model/manifest.js';
import { DamagedInputError } from '../damaged-input.js';
import { DocumentBatch, type EntriesOwner } from '../entries/document-batch.js';
import { layout, limits, placeOf, type Place } from '../layout.js';
import { ByteSource } from '../tar/byte-source.js';
import { TarEntries, type TarEntry } from '../tar/tar-entries.js';
import { typeName } from '../tar/tar-header.js';
import { UnpackedPaths } from './unpacked-paths.js';

/** What comes out of an archive, in its order. Bodies are good until the next item is asked for. */
export type ArchiveItem =
  /** The first of an archive of ours; foreign ones have none. */
  | { readonly kind: 'plan'; readonly plan: Plan; readonly checksum: string }
  | { readonly kind: 'table'; readonly directory: string }
  /** Of kind 'documents' or 'changes'. */
  | DocumentBatch
  /** `path` is below `certs/`: `ca/rethink/cert.pem`. */
  | { readonly kind: 'certificate'; readonly path: string; readonly body: Buffer }
  /** The last of an archive of ours; `body` is for `decodeManifest`. */
  | { readonly kind: 'manifest'; readonly body: Buffer };

export abstract class ArchiveReader {
  /** Whether the archive has no plan: it is the vendor's, or of another program. */
  abstract readonly isForeign: boolean;
  protected readonly source: ByteSource;
  protected readonly findings: FindingSink;
  protected readonly tar: TarEntries;
  protected readonly batch = new DocumentBatch();
  readonly #paths = new UnpackedPaths();
  /** Entries met, those of directories included. */
  protected entryCount = 0;
  #root: string | undefined;
  #otherEntries = 0;
  #certificateBytes = 0;

  /** `chunks` is the tar itself, as `unwrapInput` gives it. It is read to its end unless a finding stops the reader. */
  constructor(chunks: AsyncIterable<Buffer>, findings: FindingSink) {
    this.source = new ByteSource(chunks);
    this.findings = findings;
    this.tar = new TarEntries(this.source, findings);
  }

  /** The root directory, without a slash, as far as it is known by now. */
  get root(): string | undefined {
    return this.#root;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.source.position;
  }

  /** Yields the archive. Throws only what the input throws; everything that is wrong with an archive is a finding. */
  async *items(): AsyncGenerator<ArchiveItem, void, undefined> {
    try {
      yield* this.entries();
      yield* this.flush();
      if (!this.tar.isBroken) await this.#end();
    } catch (error) {
      if (!(error instanceof DamagedInputError)) throw error;
      this.findings.add(undefined, error.message);
    } finally {
      await this.source.close();
    }
  }

  /** All items; what is in the batch at the end is yielded after them. */
  protected abstract entries(): AsyncGenerator<ArchiveItem, void, undefined>;

  /** Called after the end blocks with what follows them: `isZero` where it is zeros alone. */
  protected abstract ended(trailing: { readonly bytes: number; readonly isZero: boolean }): void;

  /** Where an entry belongs; undefined for what has no place. A path that is unsafe to unpack is a finding. */
  protected place(entry: TarEntry): Place | undefined {
    const { path, kind } = entry;
    if (kind === 'other') this.findings.add(path, `is ${typeName(entry.type)}; an archive has files and directories`);
    const parts = path.replace(/^\.\//, '').replace(/\/$/, '').split('/');
    const [root = '', ...below] = parts;
    const fault = pathFault(path, parts) ?? (root === '' ? undefined : this.#rootFault(root));
    if (fault !== undefined) this.findings.add(path, fault);
    if (fault !== undefined || root === '' || kind === 'other') return undefined;
    const unpackedFault = this.#paths.add(below.join('/'), kind === 'directory');
    if (unpackedFault !== undefined) this.findings.add(path, unpackedFault);
    return placeOf(below.join('/'), kind === 'directory');
  }

  /** Takes in an entry that is neither a document nor a change. */
  protected async *other(entry: TarEntry, place: Place | undefined): AsyncGenerator<ArchiveItem, void, undefined> {
    this.entryCount += 1;
    this.#otherEntries += 1;
    if (this.#otherEntries > limits.otherEntries)
      this.tar.stop(`has more than ${limits.otherEntries} entries besides documents and changes`);
    else if (place?.kind === 'table') yield { kind: 'table', directory: place.directory };
    else if (place?.kind === 'certificate') {
      const body = await this.#certificate(entry);
      if (body !== undefined) yield { kind: 'certificate', path: place.path, body };
    } else if (place?.kind === 'manifest') {
      const body = await this.file(entry, limits.manifestBytes);
      if (body !== undefined) yield { kind: 'manifest', body };
    } else await this.tar.skip(entry);
  }

  async #certificate(entry: TarEntry): Promise<Buffer | undefined> {
    if (entry.bytes <= limits.certificateBytes) this.#certificateBytes += entry.bytes;
    if (this.#certificateBytes <= limits.allCertificatesBytes) return this.file(entry, limits.certificateBytes);
    this.tar.stop(`has more than ${limits.allCertificatesBytes} bytes of certificate files`);
    return undefined;
  }

  /** The body of a file, or undefined where it is larger than that, which is a finding, or the tar is cut in it. */
  protected async file(entry: TarEntry, maxBytes: number): Promise<Buffer | undefined> {
    if (entry.bytes <= maxBytes) return this.tar.body(entry);
    this.findings.add(entry.path, `has ${entry.bytes} bytes: nothing real needs more than ${maxBytes}`);
    await this.tar.skip(entry);
    return undefined;
  }

  /** Adds a document or change to the batch. Gives whether it could be read. */
  protected async *numbered(
    entry: TarEntry,
    owner: EntriesOwner,
    number: number,
  ): AsyncGenerator<ArchiveItem, boolean, undefined> {
    if (entry.bytes > limits.entryBytes[owner.kind]) {
      const reason = `RethinkDB takes no document beyond ${limits.entryBytes.documents}`;
      this.findings.add(entry.path, `has ${entry.bytes} bytes: ${reason}`);
      this.entryCount += 1;
      await this.tar.skip(entry);
      return false;
    }
    if (!this.batch.takes(owner, number, entry.bytes)) yield* this.flush();
    const body = await this.tar.body(entry);
    if (body === undefined) return false;
    if (this.batch.count === 0) this.batch.begin(owner, number, this.entryCount);
    this.batch.add(body, 0, body.length);
    this.entryCount += 1;
    return true;
  }

  protected *flush(): Generator<DocumentBatch, void, undefined> {
    if (this.batch.count === 0) return;
    yield this.batch;
    this.batch.clear();
  }

  #rootFault(root: string): string | undefined {
    return root === (this.#root ??= root) ? undefined : `is outside ${printable(this.#root)}/`;
  }

  async #end(): Promise<void> {
    let bytes = 0;
    let isZero = true;
    while (await this.source.fill(1)) {
      const rest = this.source.use(this.source.available);
      bytes += rest.length;
      isZero &&= rest.every((byte) => byte === 0);
    }
    this.ended({ bytes, isZero });
    const conflict = this.#paths.conflict();
    if (conflict === undefined) return;
    this.findings.add(layout.certificate(this.root ?? '', conflict), 'is a file and has others below it');
  }
}

/** `parts` are those of the path without a leading `./` and a slash at its end. */
function pathFault(path: string, parts: readonly string[]): string | undefined {
  if (path.startsWith('/')) return 'is an absolute path';
  if (parts.includes('..')) return 'leads out of its directory (..)';
  if (parts.includes('.')) return 'has a dot for a name in its path';
  return parts[0] !== '' && parts.includes('') ? 'has an empty name in its path' : undefined;
}
