/**
 * Patches to how reqlite answers: every message of a client gets exactly one answer (also STOP, also while a CONTINUE
 * is outstanding, also unknown terms), errors carry RethinkDB's types, and the catalog tells what RethinkDB's tells.
 */
import { errorText } from '#src/base/errors.js';
import { ErrorType, QueryType, reqlite, ResponseType } from './reqlite-module.js';
import type { Connection, Database, Index, Query, Response, Server, Table } from './reqlite-module.js';

interface RunningQuery {
  readonly query: Query;
  /** Settles when the client stops the query: the answer to whatever is outstanding then. */
  readonly stopped: Promise<Response>;
  readonly stop: () => void;
}

const running = new WeakMap<Connection, Map<number, RunningQuery>>();
/** The queries of a connection that have no first answer yet: what NOREPLY_WAIT waits for. */
const starting = new WeakMap<Connection, Set<Promise<unknown>>>();

function emptySequence(): Response {
  return { t: ResponseType.SUCCESS_SEQUENCE, r: [], n: [] };
}

function failure(error: unknown): Response {
  const { message, type = ResponseType.RUNTIME_ERROR } = error as Error & { type?: number };
  return { t: type, r: [message], b: [], e: errorType(message) };
}

function errorType(message: string): number {
  if (/does not exist|was not found|already exists/.test(message)) return ErrorType.OP_FAILED;
  return message === 'ping' ? ErrorType.USER : ErrorType.QUERY_LOGIC;
}

function begin(connection: Connection, token: number, message: Query['query']): RunningQuery {
  let stop = (): void => undefined;
  const stopped = new Promise<Response>((resolve) => {
    stop = () => resolve(emptySequence());
  });
  const query = new reqlite.Query(connection.server, message, {}, token);
  const entry: RunningQuery = {
    query,
    stopped,
    stop: () => {
      try {
        query.stop();
      } catch {
        // A feed that has not begun yet has no listener to take away, and reqlite throws over that.
      }
      stop();
    },
  };
  queriesOf(connection).set(token, entry);
  return entry;
}

function queriesOf(connection: Connection): Map<number, RunningQuery> {
  let queries = running.get(connection);
  if (queries === undefined) {
    queries = new Map();
    running.set(connection, queries);
    connection.connection.once('close', () => {
      for (const { stop } of queries?.values() ?? []) stop();
    });
  }
  return queries;
}

async function outcome(entry: RunningQuery, batch: () => Promise<Response>): Promise<Response> {
  try {
    const response = await Promise.race([entry.stopped, batch()]);
    // Errors that reqlite shapes itself, at times without a type.
    if (response.b === undefined || response.t === ResponseType.SUCCESS_PARTIAL) return response;
    return failure({ message: String(response.r[0]), type: response.t });
  } catch (error) {
    return failure(error);
  }
}

/** Answers one message; undefined where the client wants no answer. */
async function answer(connection: Connection, token: number, message: Query['query']): Promise<Response | undefined> {
  const [type, , options] = message;
  if (type === QueryType.NOREPLY_WAIT) {
    await Promise.all([...(starting.get(connection) ?? [])]);
    return { t: ResponseType.WAIT_COMPLETE, r: [] };
  }
  if (type === QueryType.SERVER_INFO) {
    const { id, name } = connection.server;
    return { t: ResponseType.SERVER_INFO, r: [{ id, name, proxy: false }] };
  }
  const queries = queriesOf(connection);
  const entry = type === QueryType.START ? begin(connection, token, message) : queries.get(token);
  if (entry === undefined) {
    return failure({ message: `Token ${token} not in stream cache.`, type: ResponseType.CLIENT_ERROR });
  }
  if (type === QueryType.STOP) {
    queries.delete(token);
    entry.stop();
    // One turn later, so that the outstanding CONTINUE is answered first.
    await new Promise(setImmediate);
    return emptySequence();
  }
  const { query } = entry;
  const response = await outcome(entry, () => (type === QueryType.START ? query.run() : query.continue()));
  if (response.t !== ResponseType.SUCCESS_PARTIAL && queries.get(token) === entry) queries.delete(token);
  return options?.noreply === true ? undefined : response;
}

/** `onQuery` sees the text of every START before it runs. */
function patchConnection(onQuery: (message: Query['query'], text: string) => void): void {
  reqlite.Connection.prototype.handleQuery = function (token, text) {
    let message: Query['query'];
    try {
      message = JSON.parse(text) as Query['query'];
    } catch (error) {
      this.send(token, failure({ message: errorText(error), type: ResponseType.CLIENT_ERROR }));
      return;
    }
    if (message[0] === QueryType.START) onQuery(message, text);
    const answered = answer(this, token, message).then((response) => {
      if (response !== undefined && this.connection.writable) this.send(token, response);
    });
    if (message[0] === QueryType.START) remember(this, answered);
  };
}

function remember(connection: Connection, answered: Promise<unknown>): void {
  const set = starting.get(connection) ?? new Set<Promise<unknown>>();
  starting.set(connection, set.add(answered));
  void answered.finally(() => set.delete(answered));
}

const indexFunctionPrefix = '$reql_index_function$';

/** RethinkDB gives index functions as opaque bytes, to be handed to `indexCreate` as they are: so do we. */
function packIndex({ fn, multi, geo }: Index): object {
  const bytes = Buffer.from(indexFunctionPrefix + JSON.stringify({ fn, multi, geo }));
  return { $reql_type$: 'BINARY', data: bytes.toString('base64') };
}

function unpackIndex(fn: unknown): Pick<Index, 'fn' | 'multi' | 'geo'> | undefined {
  const { $reql_type$: type, data } = (fn ?? {}) as { $reql_type$?: string; data?: string };
  const text = type === 'BINARY' ? Buffer.from(data ?? '', 'base64').toString() : '';
  if (!text.startsWith(indexFunctionPrefix)) return undefined;
  return JSON.parse(text.slice(indexFunctionPrefix.length)) as Index;
}

function patchCatalog(): void {
  const { Database, Table, Query, util } = reqlite;
  // RethinkDB takes hyphens in names.
  const { assertNoSpecialChar } = util;
  util.assertNoSpecialChar = (name, type, query) => {
    assertNoSpecialChar(name.replaceAll('-', '_'), type, query);
  };
  // A table may be called `constructor`: no name is taken before somebody takes it.
  Object.defineProperty(Database.prototype, 'tables', {
    set(this: Database, tables: Database['tables']) {
      Object.defineProperty(this, 'tables', { value: Object.setPrototypeOf(tables, null), enumerable: true });
    },
  });
  const { indexCreate, indexWait } = Table.prototype;
  Table.prototype.indexCreate = function (name, fn, options, query) {
    const packed = unpackIndex(fn);
    return packed === undefined
      ? indexCreate.call(this, name, fn, options, query)
      : indexCreate.call(this, name, packed.fn, packed, query);
  };
  Table.prototype.indexWait = function (names, query) {
    const result = indexWait.call(this, names, query);
    for (const status of result.sequence as { index: string; function: unknown; query: string }[]) {
      const index = this.indexes[status.index];
      if (index !== undefined) status.function = packIndex(index);
      status.query = `indexCreate('${status.index}', …)`;
    }
    return result;
  };

  // reqlite lists the primary key among the secondary indexes and knows no database.
  const { info } = Query.prototype;
  Query.prototype.info = function (args, options, internalOptions) {
    return info.call(this, args, options, internalOptions).then((result) => {
      const { id, type, indexes = [] } = result as { id?: string; type?: string; indexes?: string[] };
      if (type !== 'TABLE') return result;
      const database = Object.values(this.server.databases).find(({ tables }) => hasTable(tables, id));
      const { primary_key: primaryKey } = result as { primary_key: string };
      return {
        ...(result as object),
        db: { id: database?.id, name: database?.name, type: 'DB' },
        indexes: indexes.filter((name) => name !== primaryKey),
      };
    });
  };
}

function hasTable(tables: Record<string, Table>, id: string | undefined): boolean {
  return Object.values(tables).some((table) => table.id === id);
}

/** What RethinkDB has from the start and reqlite has not: this server's status. */
export function addServerStatus(server: Server, port: number): void {
  const status = {
    id: server.id,
    name: server.name,
    network: {
      hostname: '127.0.0.1',
      reql_port: port,
      canonical_addresses: new reqlite.Sequence([]),
      connected_to: {},
    },
    process: { version: `reqlite ${reqlite.version}`, pid: process.pid, argv: new reqlite.Sequence([]) },
  };
  server.databases.rethinkdb?.table('server_status').insert(status, { meta: true });
}

export function patchAnswers(onQuery: (message: Query['query'], text: string) => void): void {
  patchConnection(onQuery);
  patchCatalog();
}
