/** What is backed up: which tables, or which image content, and whether the replica is stopped for it. */
import { minPauseMs } from '../../model/change.js';
import { parseRateLimit } from '../../model/rate-limit.js';
import { parseTablePattern } from '../../model/table.js';
import { flag, list, text } from '../setting.js';
import { oneOf, seconds, wholeNumber, anyText } from '../value-parsers.js';

const consistencies = ['snapshot', 'scan'] as const;
export const documentEncodings = ['reql', 'dtr'] as const;

/** What a backup holds, and in which form. */
export const contentSettings = {
  ignoreEventsTable: flag({
    flag: 'ignore-events-table',
    env: 'DTR_IGNORE_EVENTS_TABLE',
    help: 'leave out the table events',
  }),
  ignoreScanData: flag({
    flag: 'ignore-scan-data',
    env: 'DTR_IGNORE_SCAN_DATA',
    help: 'leave out the tables scanned_images and scanned_layers',
  }),
  includeTable: list({
    flag: 'include-table',
    placeholder: 'DB.TABLE',
    help: 'back up this table, too (DB.* for all of a database); repeatable',
    parse: parseTablePattern,
    expects: 'DB.TABLE or DB.*',
  }),
  excludeTable: list({
    flag: 'exclude-table',
    placeholder: 'DB.TABLE',
    help: 'leave out this table (DB.* for all of a database); repeatable',
    parse: parseTablePattern,
    expects: 'DB.TABLE or DB.*',
  }),
  certificates: flag({
    flag: 'certificates',
    default: true,
    help: 'put the files of volumes dtr-ca and dtr-notary into the archive; --no-certificates leaves them out',
  }),
  rateLimit: text({
    flag: 'rate-limit',
    env: 'DTR_RATE_LIMIT',
    placeholder: 'RATE',
    help: 'read no faster than so many documents (5000/s) or so much of their JSON (10MB/s)',
    parse: parseRateLimit,
    expects: '5000/s (documents) or 10MB/s',
  }),
  consistency: text({
    flag: 'consistency',
    env: 'DTR_CONSISTENCY',
    placeholder: consistencies.join('|'),
    help: 'snapshot: tables and what changes in them meanwhile; scan: tables alone; when left out, snapshot if the server can',
    parse: oneOf(consistencies),
    expects: consistencies.join(' or '),
  }),
  settleTime: text({
    flag: 'settle-time',
    env: 'DTR_SETTLE_TIME',
    placeholder: 'SECONDS',
    help: 'a snapshot ends after this long without a change; it waits ten times as long for such a pause',
    parse: (value) => {
      const milliseconds = seconds(value) ?? 0;
      return milliseconds >= minPauseMs ? milliseconds : undefined;
    },
    expects: `seconds, ${minPauseMs / 1000} at least`,
    default: '1',
    extended: true,
  }),
  changefeedQueueSize: text({
    flag: 'changefeed-queue-size',
    env: 'DTR_CHANGEFEED_QUEUE_SIZE',
    placeholder: 'CHANGES',
    help: 'how many changes of a table RethinkDB keeps in memory for a snapshot; with more the backup ends with 11',
    parse: wholeNumber,
    expects: 'a whole number',
    default: '500000',
    extended: true,
  }),
  documentEncoding: text({
    flag: 'document-encoding',
    env: 'DTR_DOCUMENT_ENCODING',
    placeholder: documentEncodings.join('|'),
    help: "reql: RethinkDB's own JSON, lossless; dtr: the form that docker/dtr restore reads",
    parse: oneOf(documentEncodings),
    expects: documentEncodings.join(' or '),
    default: 'reql',
  }),
} as const;

/** Stopping a replica for its backup. */
export const offlineSettings = {
  offlineBackup: flag({
    flag: 'offline-backup',
    env: 'DTR_OFFLINE_BACKUP',
    help: 'stop the containers of the replica that write, read its tables, then start the containers again',
  }),
  startTimeout: text({
    flag: 'start-timeout',
    env: 'DTR_START_TIMEOUT',
    placeholder: 'SECONDS',
    help: 'how long the containers that --offline-backup stopped may take to start again',
    parse: seconds,
    expects: 'seconds, such as 60 or 0.5',
    default: '300',
    extended: true,
  }),
} as const;

/** Which image content is backed up, and from where. */
export const imagesSettings = {
  registryPath: text({
    flag: 'registry-path',
    env: 'DTR_REGISTRY_PATH',
    placeholder: 'DIRECTORY',
    help: 'where the registry storage is mounted into this job; read from there if it is',
    parse: anyText,
    default: '/registry',
  }),
  since: list({
    flag: 'since',
    placeholder: 'ARCHIVE',
    help: 'leave out the blobs that this image archive holds, which is verified first; repeatable',
    parse: anyText,
  }),
  allowChanged: flag({
    flag: 'allow-changed',
    notInDotenv: true,
    env: 'DTR_ALLOW_CHANGED',
    help: 'end with 0 also when files changed or vanished while they were read, do not fit a tar, or are missing in the registry itself',
  }),
} as const;
