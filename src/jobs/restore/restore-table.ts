/** Restores one table: creates or empties it, fills it, syncs it to disk, builds its indexes and counts it. */
import type { DocumentBatch } from '../../archive/entries/document-batch.js';
import { entriesDirectory } from '../../archive/layout.js';
import { Ticker } from '../../base/clock.js';
import { pause } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { qualifiedName } from '../../model/table.js';
import { describeTable } from '../../rethink/catalog.js';
import type { RestoreLock } from '../../rethink/restore-lock.js';
import type { RethinkSession } from '../../rethink/session.js';
import {
  createDatabase,
  createIndex,
  createTable,
  dropIndex,
  readIndexProgress,
  setWriteAcks,
  setWriteHook,
} from '../../rethink/table-maker.js';
import {
  countDocuments,
  emptyTable,
  syncTable,
  writeChanges,
  writeDocuments,
  type Entries,
  type WritableTable,
} from '../../rethink/table-writer.js';
import type { WritePool } from '../../rethink/write-pool.js';
import { formatCount } from '../../base/format.js';
import { isSameIndex } from './definition-plan.js';
import type { RestoreRecord, TableRecord } from './restore-record.js';

import type { JobContext } from '../job-context.js';

/** More documents than this in one query are no faster. */
const maxWriteCount = 1000;
const indexPollMs = 250;

/** Copies of the bodies: a batch is used again. */
export function copyBodies(batch: Pick<DocumentBatch, 'count' | 'body'>): Buffer[] {
  return Array.from({ length: batch.count }, (_, index) => Buffer.from(batch.body(index)));
}

export interface RestoreContext {
  readonly session: RethinkSession;
  readonly lock: RestoreLock;
  readonly pool: WritePool;
  readonly record: RestoreRecord;
  readonly context: JobContext;
}

export class TableRestore {
  readonly record: TableRecord;
  readonly #context: RestoreContext;
  readonly #table: WritableTable;
  /** Of the archive, its changes counted in. */
  #expectedCount = 0;
  #running = new Set<Promise<void>>();
  #runningKind: DocumentBatch['kind'] = 'documents';

  constructor(record: TableRecord, context: RestoreContext) {
    this.record = record;
    this.#context = context;
    const { archive, target } = record.plan;
    const { database, name, primaryKey } = target ?? archive;
    this.#table = { database, name, primaryKey, writeHook: target?.writeHook ?? null };
  }

  get name(): string {
    return qualifiedName(this.#table);
  }

  get table(): WritableTable {
    return this.#table;
  }

  /** Creates the table, or empties it where that is planned. */
  async prepare(): Promise<void> {
    const { session, lock, record, context } = this.#context;
    await lock.assertHeld();
    const { action, shape } = this.record.plan;
    if (shape !== undefined) {
      if (await createDatabase(session, shape.database)) record.createdDatabases.push(shape.database);
      await createTable(session, shape);
      this.record.isCreated = true;
      const { primaryKey, shardCount, replicaCount } = shape;
      context.log.info(
        `Created ${this.name}: primary key ${primaryKey}, shards: ${shardCount}, replicas: ${replicaCount}`,
      );
    } else if (action === 'replace') {
      await emptyTable(session, this.#table, (count) => (this.record.deletedDocuments += count));
    }
  }

  /**
   * Begins to write a batch; its bodies are copied. Documents are written concurrently, as no two have the same key. Changes
   * wait for everything before them, and documents for the changes before them: their order is that of history.
   */
  async add(batch: DocumentBatch, root: string): Promise<void> {
    const { kind, firstNumber } = batch;
    const bodies = copyBodies(batch);
    const directory = entriesDirectory(root, kind, batch.directory);
    for (let start = 0; start < bodies.length; start += maxWriteCount) {
      const some = bodies.slice(start, start + maxWriteCount);
      const nameOf = (index: number): string => `${directory}${firstNumber + start + index}`;
      if (kind === 'changes' || kind !== this.#runningKind) await this.#ended();
      this.#runningKind = kind;
      await this.#begin({ bodies: some, nameOf }, (batch.bytes * some.length) / bodies.length);
    }
  }

  /** Waits for everything begun, and until it is on disk. Throws a JobError with exit code 7. */
  async drain(): Promise<void> {
    await this.#ended();
    await this.#context.lock.assertHeld();
    await syncTable(this.#context.session, this.#table);
    const { documents, deletedDocuments } = this.record;
    const emptied = deletedDocuments > 0 ? `, ${formatCount(deletedDocuments)} deleted before` : '';
    this.#context.context.log.info(`Wrote ${this.name}: ${formatCount(documents)} documents${emptied}`);
  }

  /** Drops indexes and begins to build those to create: the server builds those of all tables side by side. */
  async beginIndexes(): Promise<void> {
    const { session } = this.#context;
    const { droppedIndexes, createdIndexes, plan } = this.record;
    for (const name of plan.definition?.drop ?? []) {
      await dropIndex(session, this.#table, name);
      droppedIndexes.push(name);
    }
    for (const planned of plan.definition?.create ?? []) {
      await createIndex(session, this.#table, planned);
      createdIndexes.push(planned.index.name);
    }
  }

  /** Waits for the indexes, sets the hook, and compares the number of documents. Throws a JobError with exit code 7. */
  async complete(): Promise<void> {
    const { session } = this.#context;
    const { plan } = this.record;
    await this.#indexesBuilt();
    await this.#assertIndexes();
    const hook = plan.definition?.hook;
    if (hook !== undefined) {
      await setWriteHook(session, this.#table, hook);
      this.record.hook = hook === null ? 'removed' : 'set';
    }
    if (plan.shape?.writeAcks === 'single') await setWriteAcks(session, this.#table, 'single');
    const count = await countDocuments(session, this.#table);
    const isMerge = plan.action === 'merge';
    if (isMerge ? count < this.#expectedCount : count !== this.#expectedCount) {
      const found = `${this.name} holds ${formatCount(count)} documents, the archive has ${formatCount(this.#expectedCount)}`;
      const why =
        count > this.#expectedCount
          ? 'something else writes to this replica'
          : 'something else deletes from this replica, or entries of the archive share a primary key';
      throw new JobError(ExitCode.rethinkdb, `${found}: ${why}`);
    }
    this.record.isComplete = true;
  }

  async #begin(entries: Entries, bytes: number): Promise<void> {
    const { pool } = this.#context;
    const { record } = this;
    const kind = this.#runningKind;
    const count = entries.bodies.length;
    const { ended } = await pool.begin(bytes, async (session) => {
      record.unconfirmed += count;
      if (kind === 'documents') await writeDocuments(session, this.#table, entries);
      else this.#expectedCount += await writeChanges(session, this.#table, entries);
      record.unconfirmed -= count;
      record[kind] += count;
    });
    if (kind === 'documents') this.#expectedCount += count;
    this.#running.add(ended);
    void ended.then(() => this.#running.delete(ended));
  }

  async #ended(): Promise<void> {
    await Promise.all(this.#running);
    this.#context.pool.throwFailure();
  }

  /** An index that was made from its term must be printed as in the archive. */
  async #assertIndexes(): Promise<void> {
    const made = this.record.plan.definition?.create.filter(({ from }) => from === 'term') ?? [];
    if (made.length === 0) return;
    const { indexes } = await describeTable(this.#context.session, this.#table);
    for (const { index } of made) {
      if (indexes.some((other) => other.name === index.name && isSameIndex(index, other))) continue;
      throw new JobError(ExitCode.rethinkdb, `${this.name} has another index ${index.name} than the archive`);
    }
  }

  async #indexesBuilt(): Promise<void> {
    const { session, context } = this.#context;
    const ticker = new Ticker(context.clock);
    for (;;) {
      const progress = await readIndexProgress(session, this.#table);
      if (progress === 1) return;
      ticker.tick(() => context.log.progress(`Building the indexes of ${this.name}: ${Math.floor(progress * 100)} %`));
      await pause(indexPollMs, context.signal);
    }
  }
}
