/**
 * What reqlite lacks of changefeeds: `includeInitial` and `includeStates` on a table, as RethinkDB has them. Rows come as
 * they stand when their turn comes; of what changes, only what concerns rows given before, or new ones, is told.
 */
import { jsonText } from './reqlite-values.js';
import { reqlite, ResponseType } from './reqlite-module.js';
import type { Query, Response, Table, TableChange } from './reqlite-module.js';

/** RethinkDB's own: a batch ends at about 1 MiB, and so many changes are kept. */
const batchBytes = 1024 * 1024;
const defaultQueueSize = 100_000;

/** SEQUENCE_FEED and INCLUDES_STATES (`ql2.proto`): a driver waits for the end of what is no feed. */
const feedNotes = [1, 5];

export interface FeedOptions {
  readonly include_initial?: boolean;
  readonly include_states?: boolean;
  readonly changefeed_queue_size?: number;
}

export class TableFeed {
  readonly #table: Table;
  readonly #queueSize: number;
  /** The keys of rows whose turn has not come. */
  readonly #left: Set<string>;
  #queue: object[] = [];
  #skipped = 0;
  #isReady = false;
  #isBegun = false;
  #wake: () => void = () => undefined;
  readonly #onChange = (change: TableChange): void => this.#note(change);

  constructor(table: Table, { changefeed_queue_size: queueSize = defaultQueueSize }: FeedOptions) {
    this.#table = table;
    this.#queueSize = queueSize;
    this.#left = new Set(Object.keys(table.documents));
    table.on('change', this.#onChange);
  }

  async nextBatch(): Promise<Response> {
    if (!this.#isBegun) {
      this.#isBegun = true;
      return partial([{ state: 'initializing', type: 'state' }]);
    }
    if (this.#isReady) {
      while (this.#queue.length === 0 && this.#skipped === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
    const elements = this.#takeChanges();
    if (this.#isReady || elements.length > 0) return partial(elements);
    const rows = this.#takeRows();
    if (this.#left.size > 0) return partial(rows);
    this.#isReady = true;
    return partial([...rows, { state: 'ready', type: 'state' }]);
  }

  stop(): void {
    this.#table.removeListener('change', this.#onChange);
  }

  #takeChanges(): object[] {
    const elements = this.#queue.splice(0, 1000);
    if (this.#skipped === 0) return elements;
    const error = `Changefeed cache over array size limit, skipped ${this.#skipped} elements.`;
    this.#skipped = 0;
    return [{ error }];
  }

  #takeRows(): object[] {
    const rows: object[] = [];
    let bytes = 0;
    for (const key of this.#left) {
      this.#left.delete(key);
      const document = this.#table.documents[key];
      if (document === undefined) continue;
      rows.push({ new_val: document.toDatum(), type: 'initial' });
      bytes += jsonText(document.doc).length;
      if (bytes >= batchBytes) break;
    }
    return rows;
  }

  #note({ old_val: before, new_val: after }: TableChange): void {
    const key = reqlite.util.makeInternalPk((after ?? before)?.[this.#table.options.primaryKey]);
    if (this.#left.has(key)) return;
    const type = before === null ? 'add' : after === null ? 'remove' : 'change';
    this.#queue.push({ new_val: reqlite.util.toDatum(after), old_val: reqlite.util.toDatum(before), type });
    if (this.#queue.length > this.#queueSize) {
      this.#skipped += this.#queue.length;
      this.#queue = [];
    }
    this.#wake();
  }
}

function partial(rows: object[]): Response {
  return { t: ResponseType.SUCCESS_PARTIAL, r: rows, n: [...feedNotes] };
}

/** `hasInitial` false: the server answers as one that knows no `includeInitial`. */
export function patchFeeds(hasInitial: boolean): void {
  const { changes, run, continue: nextBatch, stop } = reqlite.Query.prototype;
  const feeds = new WeakMap<Query, TableFeed>();
  reqlite.Query.prototype.changes = function (args, options, internalOptions) {
    if (options.include_initial !== true) return changes.call(this, args, options, internalOptions);
    if (!hasInitial) throw new reqlite.errors.ReqlCompileError('Unrecognized optional argument `include_initial`.');
    return this.evaluate(args[0], internalOptions).then((table) => {
      if (!(table instanceof reqlite.Table)) {
        throw new reqlite.errors.ReqlCompileError('The embedded server gives initial rows of whole tables only.');
      }
      const feed = new TableFeed(table, options);
      feeds.set(this, feed);
      return feed;
    });
  };
  reqlite.Query.prototype.run = async function (query) {
    const [, term] = this.query;
    const isChanges = Array.isArray(term) && term[0] === changesTerm;
    const response = isChanges ? await runFeed(this) : undefined;
    return response ?? run.call(this, query);
  };
  reqlite.Query.prototype.continue = function () {
    return feeds.get(this)?.nextBatch() ?? nextBatch.call(this);
  };
  reqlite.Query.prototype.stop = function () {
    const feed = feeds.get(this);
    if (feed === undefined) stop.call(this);
    else feed.stop();
  };

  /** Undefined where it is a feed of reqlite's own kind. */
  async function runFeed(query: Query): Promise<Response | undefined> {
    const [, , options = {}] = query.query[1] as [number, unknown, FeedOptions?];
    if (options.include_initial !== true) return undefined;
    await query.evaluate(query.query[1], {});
    query.complete = false;
    return feeds.get(query)?.nextBatch();
  }
}

/** CHANGES of the wire protocol (`ql2.proto`). */
const changesTerm = 152;
