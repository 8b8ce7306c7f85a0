/** The blobs that earlier archives hold and that an archive made `--since` them leaves out. */
import type { BlobReferences } from './blob-references.js';
import type { StoredBlob } from './image-checksum.js';
import type { BlobName } from './image-layout.js';

/** Beyond it they are written again. */
const maxById = 2 ** 24;

export class HeldBlobs {
  readonly #references: BlobReferences;
  /** By id. Without SHA-256 where two archives hold different blobs of one id: which of them is unpacked last is unknown. */
  readonly #byId = new Map<string, { readonly bytes: number; readonly sha256: string | undefined }>();

  /** `references` learns which blobs are there. */
  constructor(references: BlobReferences) {
    this.#references = references;
  }

  get count(): number {
    return this.#references.heldCount + this.#byId.size;
  }

  /** A blob of an earlier archive, which does not count as held where it is corrupt. */
  add({ name, bytes, sha256 }: StoredBlob): void {
    if (name.kind === 'digest') {
      if (name.digest === sha256) this.#references.addHeld(name.digest);
      return;
    }
    this.#references.addBlobById();
    const known = this.#byId.get(name.id);
    const isSame = known === undefined || (known.bytes === bytes && known.sha256 === sha256);
    if (known !== undefined || this.#byId.size < maxById)
      this.#byId.set(name.id, { bytes, sha256: isSame ? sha256 : undefined });
  }

  hasName(name: BlobName): boolean {
    return name.kind === 'digest' ? this.#references.isHeld(name.digest) : this.#byId.has(name.id);
  }

  /** Whether a blob of this name and size is held. An id does not tell its content: `holdsContent` compares that. */
  holds(name: BlobName, bytes: number): boolean {
    return name.kind === 'digest' ? this.#references.isHeld(name.digest) : this.#byId.get(name.id)?.bytes === bytes;
  }

  /** Whether a blob that is held by its name and size has this content, too. */
  holdsContent(name: BlobName, sha256: string): boolean {
    return name.kind === 'digest' || this.#byId.get(name.id)?.sha256 === sha256;
  }
}
