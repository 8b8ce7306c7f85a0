/** Reads an archive of ours, which begins with its plan: what each entry is and has to be is known before it comes. */
import { JobError } from '../../base/errors.js';
import type { Plan } from '../../model/manifest.js';
import type { EntriesOwner } from '../entries/document-batch.js';
import { batchBytes } from '../entries/document-batch.js';
import { entriesDirectory, layout, limits, rootName, type EntryKind } from '../layout.js';
import { checksumOf, decodePlan } from '../manifest.js';
import { planFaults, startSeconds } from '../plan.js';
import { isZeroPadding, type TarEntry } from '../tar/tar-entries.js';
import { blockBytes, NumberedFileHeaders, paddingBytes } from '../tar/ustar.js';
import { FormatRules, headerFaults } from './format-rules.js';
import { ArchiveReader, type ArchiveItem } from './reader.js';

/** The numbered entries of one directory. */
interface Sequence extends EntriesOwner {
  /** As our writer makes them. */
  readonly headers: NumberedFileHeaders;
  next: number;
}

export class OwnReader extends ArchiveReader {
  readonly isForeign = false;
  readonly #sequences = new Map<string, Sequence>();
  /** Whose next entry is due. */
  #due: Sequence | undefined;

  protected async *entries(): AsyncGenerator<ArchiveItem, void, undefined> {
    const plan = await this.#plan();
    if (plan === undefined) {
      if (!this.tar.isBroken) this.tar.stop('cannot be read without its plan');
      return;
    }
    yield { kind: 'plan', ...plan };
    const rules = new FormatRules(plan.plan);
    for (;;) {
      const neededBytes = this.#layDue();
      if (neededBytes > 0 && (await this.source.fill(neededBytes))) continue;
      const entry = await this.tar.next();
      if (entry === undefined) return;
      yield* this.#take(entry, rules, plan.plan);
    }
  }

  /** Ours ends with its end blocks. */
  protected ended({ bytes }: { readonly bytes: number }): void {
    if (bytes > 0) this.findings.add(undefined, `has ${bytes} trailing bytes`);
  }

  /** Reads the root directory and the plan; undefined where that is not to be had, which is a finding. */
  async #plan(): Promise<{ plan: Plan; checksum: string } | undefined> {
    for (let entry = await this.tar.next(); entry !== undefined; entry = await this.tar.next()) {
      this.entryCount += 1;
      const place = this.place(entry);
      for (const fault of headerFaults(entry, place)) this.findings.add(entry.path, fault);
      if (place?.kind !== 'plan') {
        await this.tar.skip(entry);
        continue;
      }
      if (this.entryCount !== 2) this.findings.add(entry.path, 'is in the wrong place');
      const body = await this.file(entry, limits.manifestBytes);
      return body && this.#decode(body, entry);
    }
    return undefined;
  }

  #decode(body: Buffer, { path, mtimeSeconds }: TarEntry): { plan: Plan; checksum: string } | undefined {
    try {
      const plan = decodePlan(body);
      const faults = planFaults(plan);
      for (const fault of faults) this.findings.add(path, fault);
      const root = layout.root(rootName(plan));
      if (layout.root(this.root ?? '') !== root)
        this.findings.add(layout.root(this.root ?? ''), `should be ${root} by the plan`);
      if (mtimeSeconds !== startSeconds(plan))
        this.findings.add(path, 'has another modification time than the start it gives');
      return faults.length > 0 ? undefined : { plan, checksum: checksumOf(body) ?? '' };
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      this.tar.stop(error.message);
      return undefined;
    }
  }

  /**
   * The hot path: lays the due entries at hand into the batch, while their headers are exactly what our writer makes.
   * Gives how many bytes it needs to go on, or 0 where only `#take` can.
   */
  #layDue(): number {
    const sequence = this.#due;
    if (sequence === undefined) return 0;
    const { buffer } = this.source;
    for (;;) {
      const { offset, available } = this.source;
      if (available < blockBytes) return blockBytes;
      const bodyBytes = sequence.headers.recognise(buffer, offset, sequence.next);
      if (bodyBytes === undefined || bodyBytes > batchBytes) return 0;
      const start = offset + blockBytes;
      const padding = paddingBytes(bodyBytes);
      const entryBytes = blockBytes + bodyBytes + padding;
      if (available < entryBytes) return entryBytes;
      if (!this.batch.takes(sequence, sequence.next, bodyBytes)) return 0;
      if (!isZeroPadding(buffer, start + bodyBytes, padding)) return 0;
      if (this.batch.count === 0) this.batch.begin(sequence, sequence.next, this.entryCount);
      this.batch.add(buffer, start, start + bodyBytes);
      this.entryCount += 1;
      sequence.next += 1;
      this.source.advance(entryBytes);
    }
  }

  async *#take(entry: TarEntry, rules: FormatRules, plan: Plan): AsyncGenerator<ArchiveItem, void, undefined> {
    const place = this.place(entry);
    for (const fault of [...headerFaults(entry, place), ...rules.check(entry, place)])
      this.findings.add(entry.path, fault);
    if (place?.kind !== 'document' && place?.kind !== 'change') {
      yield* this.flush();
      this.#due = undefined;
      yield* this.other(entry, place);
      return;
    }
    if (!rules.isPlanned(place.directory)) {
      await this.tar.skip(entry);
      return;
    }
    const sequence = this.#sequence(place.kind === 'document' ? 'documents' : 'changes', place.directory, plan);
    if (place.number !== sequence.next) this.findings.add(entry.path, `is out of sequence: expected ${sequence.next}`);
    sequence.next = place.number + 1;
    const isRead = yield* this.numbered(entry, sequence, place.number);
    this.#due = isRead ? sequence : undefined;
  }

  #sequence(kind: EntryKind, directory: string, plan: Plan): Sequence {
    const key = `${kind}/${directory}`;
    const known = this.#sequences.get(key);
    if (known !== undefined) return known;
    const path = entriesDirectory(rootName(plan), kind, directory);
    const sequence = { kind, directory, headers: new NumberedFileHeaders(path, startSeconds(plan)), next: 0 };
    this.#sequences.set(key, sequence);
    return sequence;
  }
}
