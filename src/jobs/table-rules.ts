/** What the writer of an archive is told of a table that is read from a replica. */
import type { KeyRules } from '../archive/verify/table-check.js';
import type { TableRules } from '../archive/write/numbered-entries.js';
import { ExitCode } from '../base/exit-codes.js';
import { qualifiedName, type TableDefinition } from '../model/table.js';

/** What the server sends and no reader would take ends the run with exit code 7. */
export function tableRules(table: TableDefinition, keyRules: KeyRules): TableRules {
  const label = qualifiedName(table);
  return { ...keyRules, label, primaryKey: table.primaryKey, sourceEncoding: 'reql', exitCode: ExitCode.rethinkdb };
}
