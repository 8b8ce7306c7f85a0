/** Which RethinkDB the tests use: `RETHINKDB_BIN`, else `rethinkdb` on PATH. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where RethinkDB is, or undefined where only the embedded server is left. */
export function findRethinkdb(): string | undefined {
  const { RETHINKDB_BIN, PATH = '' } = process.env;
  if (RETHINKDB_BIN !== undefined && RETHINKDB_BIN !== '') return RETHINKDB_BIN;
  return PATH.split(delimiter)
    .map((directory) => join(directory, 'rethinkdb'))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
