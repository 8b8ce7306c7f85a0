/** Whether an archive that was proved is the same when it is read again. */
import type { Manifest } from '../../model/manifest.js';
import type { DocumentBatch } from '../entries/document-batch.js';
import type { EntryKind } from '../layout.js';
import { RunningProof } from '../entries/running-proof.js';

export class RereadCheck {
  readonly #kind: EntryKind;
  readonly #proofs = new Map<string, RunningProof>();

  /** For entries of this kind alone. */
  constructor(kind: EntryKind) {
    this.#kind = kind;
  }

  add(batch: DocumentBatch): void {
    const proof = this.#proofs.get(batch.table) ?? new RunningProof(this.#kind);
    proof.add(batch);
    this.#proofs.set(batch.table, proof);
  }

  /** Whether everything that was added is what the manifest speaks of. */
  agrees({ tables }: Manifest): boolean {
    return tables.every(({ name, [this.#kind]: expected }) => {
      const { proof } = this.#proofs.get(name) ?? new RunningProof(this.#kind);
      return proof.count === expected.count && proof.sha256 === expected.sha256;
    });
  }
}
