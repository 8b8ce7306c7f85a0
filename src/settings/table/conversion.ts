/** What a conversion makes of an archive. */
import { parseTablePattern } from '../../model/table-pattern.js';
import { list, text } from '../setting.js';
import { oneOf } from '../value-parsers.js';
import { documentEncodings } from './content.js';

export const conversionSettings = {
  // Its flag is that of `documentEncoding`, which a backup always has: left out here, the archive keeps its own.
  convertedEncoding: text({
    flag: 'document-encoding',
    env: 'DTR_DOCUMENT_ENCODING',
    placeholder: documentEncodings.join('|'),
    help: 'dtr: the form that docker/dtr restore reads, which cannot be turned back into reql (default: unchanged)',
    parse: oneOf(documentEncodings),
    expects: documentEncodings.join(' or '),
  }),
  dropTable: list({
    flag: 'drop-table',
    placeholder: 'DB.TABLE',
    help: 'leave out this table (DB.* for all of a database); repeatable',
    parse: parseTablePattern,
    expects: 'DB.TABLE or DB.*',
  }),
} as const;
