/**
 * The doorway to reqlite (a ReQL server in JavaScript, others' code, CommonJS without types): the parts of its insides
 * that the patches beside this file touch, with as much type as they need. Only the child process loads it.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/** A term of the wire protocol: a literal, or `[type, arguments, options]`. */
export type Term = unknown;

export interface Response {
  t?: number;
  r: unknown[];
  n?: number[];
  e?: number;
  b?: unknown[];
}

export interface Sequence {
  sequence: unknown[];
  length: number;
}

/** A stored row: `doc` holds reqlite's own values (Sequence, ReqlDate, …), not plain JSON. */
export interface StoredDocument {
  doc: Record<string, unknown>;
  toDatum(): unknown;
}

export interface Index {
  fn: Term;
  function: unknown;
  multi: boolean;
  geo: boolean;
}

export interface Table {
  name: string;
  db: string;
  id: string;
  options: { primaryKey: string };
  documents: Record<string, StoredDocument>;
  indexes: Record<string, Index>;
  insert(docs: unknown, options: object): unknown;
  on(event: 'change', listener: (change: TableChange) => void): void;
  removeListener(event: 'change', listener: (change: TableChange) => void): void;
}

/** reqlite's own values; null where there is none. */
export interface TableChange {
  readonly old_val: Record<string, unknown> | null;
  readonly new_val: Record<string, unknown> | null;
}

export interface Operation {
  operation: string;
  index: string;
  args: object;
  options?: object;
}

export interface Selection {
  selection: StoredDocument[];
  type: string;
  table: Table;
  operations: Operation[];
}

/** How reqlite runs one kind of term; the arguments are terms still. */
type Operator<Options = object> = (
  this: Query,
  args: Term[],
  options: Options,
  internalOptions: object,
) => Promise<unknown>;

export interface Query {
  server: Server;
  query: [type: number, term?: Term, options?: Record<string, unknown> | undefined];
  context: Record<string, unknown>;
  frames: unknown[];
  complete: boolean;
  /** `query` in place of the query's own. */
  run: (this: Query, query?: Query['query']) => Promise<Response>;
  continue: (this: Query) => Promise<Response>;
  stop: (this: Query) => void;
  evaluate: (this: Query, term: Term, internalOptions: object) => Promise<unknown>;
  changes: Operator<{ include_initial?: boolean; changefeed_queue_size?: number }>;
  map: Operator;
  info: Operator;
}

export interface Database {
  id: string;
  name: string;
  tables: Record<string, Table>;
  table(name: string): Table;
}

export interface Server {
  id: string;
  name: string;
  protocolVersion: number;
  databases: Record<string, Database>;
}

export interface Connection {
  connection: Socket;
  server: Server;
  queries: Record<number, Query>;
  handleQuery(token: number, text: string): void;
  send(token: number, response: Response): void;
}

type Constructor<Instance, Arguments extends unknown[]> = (new (...args: Arguments) => Instance) & {
  prototype: Instance;
};
type WithMethods<Instance, Methods> = { prototype: Instance & Methods } & (new (...args: never[]) => Instance);

interface Util {
  assertNoSpecialChar: (name: string, type: string, query: Query) => void;
  revertDatum: (value: unknown) => unknown;
  toDatum: (value: unknown) => unknown;
  makeInternalPk: (value: unknown) => string;
}

/** Indexed reads of tables and selections: `options.index` is evaluated, the rest are raw terms. */
export type OrderBy<Self> = (
  this: Self,
  fields: Term[],
  options: { index?: unknown },
  query: Query,
  internalOptions: object,
) => Promise<Selection>;
export type Between<Self> = (
  this: Self,
  left: unknown,
  right: unknown,
  options: { index?: unknown; left_bound?: string; right_bound?: string },
  query: Query,
  internalOptions: object,
) => Promise<Selection>;

interface TableMethods {
  emit: (this: Table, event: string, ...args: unknown[]) => boolean;
  orderBy: OrderBy<Table>;
  between: Between<Table>;
  indexCreate: (this: Table, name: string, fn: Term, options: Partial<Index>, query: Query) => unknown;
  indexWait: (this: Table, names: string[], query: Query) => Sequence;
}

const load = createRequire(import.meta.url);
// The package's entry comes first: its files require each other in circles and only this order resolves them.
const Server = load('reqlite') as Constructor<Server & { _createServer(): void }, [{ name?: string; silent: true }]>;

function part(name: string): unknown {
  return load(`reqlite/lib/${name}.js`);
}

export const reqlite = {
  Server,
  version: (load('reqlite/package.json') as { version: string }).version,
  /** reqlite calls methods on its promises that only this library's have. */
  Bluebird: load('bluebird') as { resolve<Value>(value: Value): Promise<Value> },
  util: part('utils') as Util,
  errors: part('error') as Record<'ReqlRuntimeError' | 'ReqlCompileError', new (message: string) => Error>,
  Query: part('query') as Constructor<Query, [Server, unknown, object, number]>,
  Sequence: part('sequence') as Constructor<Sequence, [unknown[]]>,
  ReqlDate: part('date') as { buildFromDatum(value: unknown): object },
  ReqlGeometry: part('geo') as { buildFromDatum(value: unknown): object },
  Minval: part('minval') as new () => object,
  Maxval: part('maxval') as new () => object,
  Asc: part('asc') as new () => { value: unknown },
  Desc: part('desc') as new () => { value: unknown },
  Document: part('document') as Constructor<StoredDocument, []>,
  Table: part('table') as WithMethods<Table, TableMethods>,
  Selection: part('selection') as Constructor<Selection, [StoredDocument[], Table, object]> & {
    prototype: { orderBy: OrderBy<Selection> };
  },
  Database: part('database') as Constructor<Database, [name: string]>,
  Connection: part('connection') as Constructor<Connection, [Socket, Server, object]>,
};

/** Numbers of the wire protocol (`ql2.proto`) that the patches name. */
export const TermType = {
  DATUM: 1,
  MAKE_ARRAY: 2,
  VAR: 10,
  MAP: 38,
  DB_CREATE: 57,
  DB_DROP: 58,
  TABLE_CREATE: 60,
  TABLE_DROP: 61,
  UPDATE: 53,
  DELETE: 54,
  REPLACE: 55,
  INSERT: 56,
  BRANCH: 65,
  FOR_EACH: 68,
  FUNC: 69,
  INDEX_CREATE: 75,
  INDEX_DROP: 76,
  JSON: 98,
  INDEX_RENAME: 156,
  TO_JSON_STRING: 172,
} as const;

export const QueryType = { START: 1, CONTINUE: 2, STOP: 3, NOREPLY_WAIT: 4, SERVER_INFO: 5 } as const;

export const ResponseType = {
  SUCCESS_SEQUENCE: 2,
  SUCCESS_PARTIAL: 3,
  WAIT_COMPLETE: 4,
  SERVER_INFO: 5,
  CLIENT_ERROR: 16,
  RUNTIME_ERROR: 18,
} as const;

export const ErrorType = {
  INTERNAL: 1_000_000,
  QUERY_LOGIC: 3_000_000,
  OP_FAILED: 4_100_000,
  USER: 5_000_000,
} as const;
