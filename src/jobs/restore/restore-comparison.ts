/**
 * Compares what a restore has written with the archive, document by document: the archive is read once more, with its
 * changes folded in from a temporary file, and the server says which documents differ. Memory grows only with the number of
 * changed documents, up to a limit (journal-fold.ts).
 */
import type { DocumentBatch } from '../../archive/entries/document-batch.js';
import { JournalFold } from '../../archive/read/journal-fold.js';
import { Findings } from '../../archive/verify/findings.js';
import type { Input } from '../../model/archive-stream.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { findDifferences } from '../../rethink/table-writer.js';
import { assertUnchanged, openMetadata } from '../archive-reading.js';
import type { Survey } from '../archive-survey.js';
import { formatCount } from '../../base/format.js';
import { copyBodies, type RestoreContext, type TableRestore } from './restore-table.js';

/** Of one query: more are no faster, and RethinkDB 2.4.4 answers one of 127 MiB but none of 129. */
const comparedAtOnce = { maxCount: 1000, maxBytes: 1024 * 1024 };
const newline = 0x0a;

export class ContentComparison implements Disposable {
  readonly #survey: Survey;
  readonly #context: RestoreContext;
  readonly #journals: JournalFold;
  #comparedCount = 0;
  /** By the table's name. */
  readonly #differing = new Map<string, number>();

  constructor(survey: Survey, context: RestoreContext) {
    this.#survey = survey;
    this.#context = context;
    const changeCount = [...survey.tables.values()].reduce((sum, { changes }) => sum + changes, 0);
    this.#journals = new JournalFold(changeCount, context.context.temporaryDirectory);
  }

  /** Takes the changes of a table as they are written. Throws a JobError with exit code 8 or 9. */
  addChanges(batch: DocumentBatch, { table }: TableRestore): void {
    this.#journals.addChanges(batch, table.primaryKey);
  }

  /**
   * Resolves when every document of the archive is in its table as the archive has it. Throws a JobError with exit
   * code 7 that counts those that are not; 9 where the archive has changed.
   */
  async compare(input: Input, restores: ReadonlyMap<string, TableRestore>): Promise<void> {
    const { pool, context } = this.#context;
    context.log.info('Comparing every document with the replica');
    const reading = await openMetadata(input, new Findings(), context);
    for await (const item of reading.items) {
      if (item.kind !== 'documents') continue;
      const restore = restores.get(item.directory);
      if (restore !== undefined) await this.#begin(restore, this.#finalBodies(item, restore));
    }
    assertUnchanged(input, reading, this.#survey.sha256);
    for (const [directory, restore] of restores) {
      for (const lines of this.#journals.added(directory)) await this.#begin(restore, splitLines(lines));
    }
    await pool.drain();
    if (this.#differing.size > 0) throw this.#failure();
    context.log.info(`Compared the content of ${formatCount(this.#comparedCount)} documents`);
  }

  [Symbol.dispose](): void {
    this.#journals[Symbol.dispose]();
  }

  /** As they are after all changes. */
  #finalBodies(batch: DocumentBatch, { table }: TableRestore): Buffer[] {
    const { changes = 0 } = this.#survey.tables.get(batch.directory) ?? {};
    return changes === 0 ? copyBodies(batch) : splitLines(Buffer.from(this.#journals.rows(batch, table.primaryKey)));
  }

  async #begin({ name, table }: TableRestore, bodies: readonly Buffer[]): Promise<void> {
    for (const some of splitBodies(bodies, comparedAtOnce)) {
      const bytes = some.reduce((sum, { length }) => sum + length, 0);
      await this.#context.pool.begin(bytes, async (session) => {
        const { length } = await findDifferences(session, table, some);
        this.#comparedCount += some.length;
        if (length > 0) this.#differing.set(name, (this.#differing.get(name) ?? 0) + length);
      });
    }
  }

  #failure(): JobError {
    const counts = [...this.#differing].map(([name, count]) => `${formatCount(count)} of ${name}`).join(', ');
    const what = `documents that are not as in the archive after they were written: ${counts}`;
    return new JobError(ExitCode.rethinkdb, `${what}: something else writes to this replica, or it lost writes`);
  }
}

function splitLines(lines: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(newline, start);
    bodies.push(lines.subarray(start, end));
    start = end + 1;
  }
  return bodies;
}

interface BatchLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
}

/** In order; a body beyond the limit of bytes is a batch of its own. */
export function* splitBodies(
  bodies: readonly Buffer[],
  { maxCount, maxBytes }: BatchLimits,
): Generator<Buffer[], void, undefined> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const body of bodies) {
    if (batch.length > 0 && (batch.length === maxCount || bytes + body.length > maxBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(body);
    bytes += body.length;
  }
  if (batch.length > 0) yield batch;
}
