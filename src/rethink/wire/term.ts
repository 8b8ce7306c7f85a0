/**
 * Queries made of bytes. The driver's own terms are JavaScript strings, which cannot hold every text that RethinkDB
 * stores (`ED A0 80`), and `r.json` escapes a document once more, which may exceed the server's limit. A term of type
 * DATUM takes JSON as it is (rdb_protocol/term_walker.cc and term_storage.cc of RethinkDB 2.4).
 */

import type { TableName } from '../../model/table.js';

/** JSON text of a term, in pieces. */
export type RawTerm = readonly (string | Buffer)[];

/** Protocol numbers (ql2.proto). */
export const term = {
  datum: 1,
  makeArray: 2,
  variable: 10,
  db: 14,
  table: 15,
  get: 16,
  ne: 18,
  count: 43,
  delete: 54,
  insert: 56,
  info: 79,
  branch: 65,
  func: 69,
  limit: 71,
  indexCreate: 75,
  indexDrop: 76,
  indexList: 77,
  getAll: 78,
  offsetsOf: 87,
  contains: 93,
  sync: 138,
  bracket: 170,
  toJsonString: 172,
  setWriteHook: 189,
} as const;

/** The term `type` over arguments that are terms, with options that are plain values. */
export function rawTerm(type: number, args: readonly RawTerm[], options?: object): RawTerm {
  const joined = args.flatMap((arg, index) => (index === 0 ? arg : [',', ...arg]));
  return [`[${type},[`, ...joined, options === undefined ? ']]' : `],${JSON.stringify(options)}]`];
}

/** A text as a term. */
export function textTerm(text: string): RawTerm {
  return [JSON.stringify(text)];
}

export function tableTerm({ database, name }: TableName): RawTerm {
  return rawTerm(term.table, [rawTerm(term.db, [textTerm(database)]), textTerm(name)]);
}

/** The value that is all of `json`. */
export function datum(json: RawTerm): RawTerm {
  return [`[${term.datum},`, ...json, ']'];
}
