/**
 * What a metadata archive names of the registry's storage, after all of its changes: blobs by id and digest, manifests with
 * what they need, tags. Bounded: an archive that needs more memory than `maxBytes` is refused.
 */
import type { DocumentBatch } from '../../archive/entries/document-batch.js';
import { limits } from '../../archive/layout.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { ByteText } from '../../model/byte-text.js';
import { parseChange } from '../../model/change.js';
import { isNestedDeeper } from '../../model/document-limits.js';
import type { FindingSink } from '../../model/finding.js';
import { parseDocument, type JsonObject } from '../../model/json-object.js';
import { registryTables, type RegistryDocument } from '../../model/registry-documents.js';

/** Of the index: 300,000 each of blobs, manifests with ten layers, and tags took 540 MB. */
export const maxIndexBytes = 1024 * 1024 * 1024;

/** About what V8 takes for a record with its place in a Map, for each digest, and for each reference to one. */
const cost = { record: 300, content: 250, reference: 8 };

/** Content by its digest, that a document names or a manifest needs. */
export interface Content {
  /** 64 hex digits of SHA-256, or `<algorithm>:<digits>` of another. */
  readonly digest: string;
  isNamed: boolean;
  /** A file under its digest has this content. */
  isStored: boolean;
  /** That one, or a blob that the metadata names by its id. */
  isThere: boolean;
  problem: Problem | undefined;
  manifest: ManifestRecord | undefined;
}

export interface Problem {
  readonly kind: 'missing' | 'corrupt';
  /** Of the blob; undefined for one under its digest. */
  readonly id: string | undefined;
  /** The SHA-256 of a corrupt one. */
  readonly found: string | undefined;
}

export interface BlobRecord {
  readonly id: string;
  readonly content: Content;
  /** The SHA-256 of the file of this id, once it has been met. */
  found: string | undefined;
}

export interface ManifestRecord {
  readonly repository: string;
  readonly content: Content;
  readonly needs: readonly Content[];
  isTagged: boolean;
}

export interface TagRecord {
  /** `org/app:1`. */
  readonly place: string;
  readonly content: Content;
}

export class MetadataIndex {
  readonly blobs = new Map<string, BlobRecord>();
  /** By `<repository>@<digest>`. */
  readonly manifests = new Map<string, ManifestRecord>();
  /** By their places. */
  readonly tags = new Map<string, TagRecord>();
  /** By digest: what a document names or a manifest needs. */
  readonly contents = new Map<string, Content>();
  readonly #findings: FindingSink;
  readonly #maxBytes: number;
  #bytes = 0;

  /** What cannot be read goes to `findings`. */
  constructor(findings: FindingSink, maxBytes = maxIndexBytes) {
    this.#findings = findings;
    this.#maxBytes = maxBytes;
  }

  /** Takes documents or changes of `table`, in the order of the archive. Throws a JobError with exit code 9 beyond the limit. */
  add(table: string, batch: DocumentBatch): void {
    const parse = registryTables.get(table);
    if (parse === undefined) return;
    const apply = (document: JsonObject | undefined, path: string, use: (read: RegistryDocument) => void): void => {
      if (document === undefined) return;
      const read = parse(document);
      if (!read.ok) this.#findings.add(path, `${read.reason}: what it names cannot be looked for`);
      else use(read.value);
    };
    for (const [index, text] of batch.texts().entries()) {
      const path = `${batch.kind === 'changes' ? 'changes' : 'rethink'}/${batch.directory}/${batch.firstNumber + index}`;
      const document = this.#parse(text, path);
      if (document === undefined) continue;
      if (batch.kind === 'documents') apply(document, path, (read) => this.#put(read));
      else {
        const change = parseChange(document);
        // Anything else is a finding of the verifier.
        if (!change.ok) continue;
        apply(change.value.oldValue, path, (read) => this.#remove(read));
        apply(change.value.newValue, path, (read) => this.#put(read));
      }
    }
  }

  #parse(text: ByteText, path: string): JsonObject | undefined {
    if (isNestedDeeper(text, limits.manifestDepth))
      this.#findings.add(path, 'is nested deeper than any that DTR writes');
    else {
      const document = parseDocument(text);
      if (document.ok) return document.value;
    }
    return undefined;
  }

  #put(document: RegistryDocument): void {
    const content = this.#content(document.digest);
    this.#remove(document);
    this.#charge(cost.record + textBytes(document) + cost.reference * needsOf(document).length);
    if (document.kind === 'blob') this.blobs.set(document.id, { id: document.id, content, found: undefined });
    else if (document.kind === 'tag') this.tags.set(keyOfDocument(document), { place: placeOf(document), content });
    else {
      const needs = document.needs.map((digest) => this.#content(digest));
      const { repository } = document;
      this.manifests.set(keyOfDocument(document), { repository, content, needs, isTagged: false });
    }
  }

  #remove(document: RegistryDocument): void {
    const key = keyOfDocument(document);
    const records = { blob: this.blobs, manifest: this.manifests, tag: this.tags }[document.kind];
    const needs = document.kind === 'manifest' ? (this.manifests.get(key)?.needs.length ?? 0) : 0;
    if (records.delete(key)) this.#bytes -= cost.record + textBytes(document) + cost.reference * needs;
  }

  #content(digest: string): Content {
    const known = this.contents.get(digest);
    if (known !== undefined) return known;
    this.#charge(cost.content + digest.length);
    // A copy: V8 keeps the whole text that a part was taken from.
    const key = Buffer.from(digest, 'latin1').toString('latin1');
    const content = {
      digest: key,
      isNamed: false,
      isStored: false,
      isThere: false,
      problem: undefined,
      manifest: undefined,
    };
    this.contents.set(key, content);
    return content;
  }

  #charge(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes) return;
    const what = `names more blobs, manifests and tags than are compared in ${this.#maxBytes} bytes of memory`;
    throw new JobError(ExitCode.archiveInvalid, `the metadata archive ${what}`);
  }
}

/** Whether it is SHA-256; of another algorithm nothing can be compared. */
export function isComparable({ digest }: Pick<Content, 'digest'>): boolean {
  return !digest.includes(':');
}

function placeOf({ repository, name }: { readonly repository: string; readonly name: string }): string {
  return `${repository}:${name}`;
}

function keyOfDocument(document: RegistryDocument): string {
  if (document.kind === 'blob') return document.id;
  return document.kind === 'tag' ? placeOf(document) : `${document.repository}@${document.digest}`;
}

function needsOf(document: RegistryDocument): readonly string[] {
  return document.kind === 'manifest' ? document.needs : [];
}

function textBytes(document: RegistryDocument): number {
  return keyOfDocument(document).length + (document.kind === 'manifest' ? document.repository.length : 0);
}
