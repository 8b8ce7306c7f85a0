/**
 * Patches to how reqlite reads tables: primary-key order from one sorted list instead of a promise for each document,
 * `between` by halving that list, and results in batches that are made when they are asked for.
 */
import { compareKeys, Evaluated, jsonText } from './reqlite-values.js';
import { reqlite, ResponseType, TermType } from './reqlite-module.js';
import type { Query, Response, Selection, StoredDocument, Table, Term } from './reqlite-module.js';

/** RethinkDB's own limits: a batch ends at about 1 MiB, and the first one is a quarter of that. */
const batchBytes = 1024 * 1024;
const firstBatchScaledown = 4;
const batchRows = 10_000;

const sortedDocuments = new WeakMap<Table, StoredDocument[]>();

function inKeyOrder(table: Table): StoredDocument[] {
  let sorted = sortedDocuments.get(table);
  if (sorted === undefined) {
    const { primaryKey } = table.options;
    sorted = Object.values(table.documents);
    sorted.sort((left, right) => compareKeys(left.doc[primaryKey], right.doc[primaryKey]));
    sortedDocuments.set(table, sorted);
  }
  return sorted;
}

/** The number of documents before `key`; those equal to it count when `includeEqual`. */
function countBefore(sorted: StoredDocument[], primaryKey: string, key: unknown, includeEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareKeys(sorted[middle]?.doc[primaryKey], key);
    if (order < 0 || (includeEqual && order === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function primaryOrder(index: unknown, primaryKey: string): 'ASC' | 'DESC' | undefined {
  const name = index instanceof reqlite.Asc || index instanceof reqlite.Desc ? index.value : index;
  if (name !== primaryKey) return undefined;
  return index instanceof reqlite.Desc ? 'DESC' : 'ASC';
}

function patchPrimaryKeyReads(): void {
  const { Table, Selection } = reqlite;
  const { emit, orderBy, between } = Table.prototype;
  Table.prototype.emit = function (event, ...args) {
    sortedDocuments.delete(this);
    return emit.call(this, event, ...args);
  };
  Table.prototype.orderBy = function (fields, options, query, internalOptions) {
    const order = primaryOrder(options.index, this.options.primaryKey);
    if (order === undefined || fields.length > 0) return orderBy.call(this, fields, options, query, internalOptions);
    const documents = order === 'ASC' ? inKeyOrder(this) : inKeyOrder(this).toReversed();
    const slice = { type: 'TABLE_SLICE', operation: 'orderBy', index: this.options.primaryKey, args: { order } };
    return Promise.resolve(new Selection(documents, this, slice));
  };
  Table.prototype.between = function (left, right, options, query, internalOptions) {
    const { primaryKey } = this.options;
    if (options.index !== undefined && options.index !== primaryKey) {
      return between.call(this, left, right, options, query, internalOptions);
    }
    const sorted = inKeyOrder(this);
    const { left_bound = 'closed', right_bound = 'open' } = options;
    const documents = sorted.slice(
      countBefore(sorted, primaryKey, left, left_bound === 'open'),
      countBefore(sorted, primaryKey, right, right_bound === 'closed'),
    );
    const slice = {
      operation: 'between',
      index: primaryKey,
      args: { left, right },
      options: { left_bound, right_bound },
    };
    return Promise.resolve(new Selection(documents, this, { type: 'TABLE_SLICE', ...slice }));
  };

  const selectionOrderBy = Selection.prototype.orderBy;
  Selection.prototype.orderBy = function (fields, options, query, internalOptions) {
    const order = primaryOrder(options.index, this.table.options.primaryKey);
    const [slice] = this.operations;
    if (order !== 'ASC' || fields.length > 0 || slice?.operation !== 'between') {
      return selectionOrderBy.call(this, fields, options, query, internalOptions);
    }
    return Promise.resolve(this); // The slice of `between` above is in order already.
  };
}

/** A table or selection under way to a client, with the function mapped over it, if any. */
class DocumentStream {
  #position = 0;

  constructor(
    readonly documents: StoredDocument[],
    readonly mapper: Term,
  ) {}

  async nextBatch(query: Query): Promise<Response> {
    const rows: unknown[] = [];
    const limit = this.#position === 0 ? batchBytes / firstBatchScaledown : batchBytes;
    let bytes = 0;
    for (const document of this.documents.slice(this.#position, this.#position + batchRows)) {
      const row = await this.#row(document, query);
      rows.push(row);
      this.#position += 1;
      bytes += typeof row === 'string' ? row.length : jsonText(row).length;
      if (bytes >= limit) break;
    }
    const more = this.#position < this.documents.length;
    return { t: more ? ResponseType.SUCCESS_PARTIAL : ResponseType.SUCCESS_SEQUENCE, r: rows, n: [] };
  }

  #row({ doc }: StoredDocument, query: Query): unknown {
    const mapper = this.mapper;
    if (mapper === undefined) return reqlite.util.toDatum(doc);
    const [, [[, [variable]], body]] = mapper as [number, [[number, [number]], Term]];
    if (JSON.stringify(body) === `[${TermType.TO_JSON_STRING},[[${TermType.VAR},[${variable}]]]]`) return jsonText(doc);
    query.context[variable] = doc;
    return query.evaluate(body, {}).then((value) => reqlite.util.toDatum(value));
  }
}

function isReadable(value: unknown): value is Table | Selection {
  return value instanceof reqlite.Table || value instanceof reqlite.Selection;
}

function documentsOf(source: Table | Selection): StoredDocument[] {
  return 'selection' in source ? source.selection : Object.values(source.documents);
}

function patchStreams(): void {
  const streams = new WeakMap<Query, DocumentStream>();
  const { run, map, continue: nextBatch } = reqlite.Query.prototype;

  // Only the outermost `map` can be left for later: what stands around an inner one wants its whole result.
  reqlite.Query.prototype.map = function (args, options, internalOptions) {
    const outermost = args === (this.query[1] as [number, Term[]])[1];
    const [source, mapper] = args;
    const single = Array.isArray(mapper) && mapper[0] === TermType.FUNC && args.length === 2;
    if (!outermost || !single) return map.call(this, args, options, internalOptions);
    return this.evaluate(source, internalOptions).then((sequence) =>
      isReadable(sequence)
        ? new DocumentStream(documentsOf(sequence), mapper)
        : map.call(this, [new Evaluated(sequence), mapper], options, internalOptions),
    );
  };

  // reqlite makes one big array of tables and selections: see them before it does.
  reqlite.Query.prototype.run = async function () {
    const [type, term, options] = this.query;
    const value = await this.evaluate(term, {});
    const stream = isReadable(value) ? new DocumentStream(documentsOf(value), undefined) : value;
    if (!(stream instanceof DocumentStream)) return run.call(this, [type, new Evaluated(value), options]);
    streams.set(this, stream);
    return nextOf(this, stream);
  };
  reqlite.Query.prototype.continue = function () {
    const stream = streams.get(this);
    return stream === undefined ? nextBatch.call(this) : nextOf(this, stream);
  };

  async function nextOf(query: Query, stream: DocumentStream): Promise<Response> {
    const response = await stream.nextBatch(query);
    query.complete = response.t !== ResponseType.SUCCESS_PARTIAL;
    return response;
  }
}

export function patchReading(): void {
  patchPrimaryKeyReads();
  patchStreams();
}
