/**
 * The one table of settings, in the order of help, with its parts in former-flags.ts and the other -table.ts files. The
 * parser, `--help`, docs/settings.md and the messages about bad values all come from it.
 */
import { minPauseMs } from '../model/change.js';
import { parseDtrVersion } from '../model/dtr-version.js';
import { parseRateLimit } from '../model/rate-limit.js';
import { parseReplicaId, parseRethinkdbAddress, parseUcpUrl } from '../model/replica-access.js';
import { parseTablePattern } from '../model/table.js';
import {
  advanced,
  anyText,
  list,
  oneOf,
  onOff,
  part,
  pem,
  seconds,
  secondsFrom,
  secret,
  text,
  wholeNumber,
} from './setting.js';

const tablePattern = { placeholder: 'DB.TABLE', parse: parseTablePattern, expects: 'DB.TABLE or DB.*' };
const documentEncodings = oneOf(['reql', 'dtr']);

export const ucp = part('UCP and replica', {
  ucpUrl: text(
    { placeholder: 'URL', parse: parseUcpUrl, expects: 'a host name or an https URL' },
    { env: 'UCP_URL', help: 'UCP, with or without https://' },
  ),
  ucpUsername: text(anyText('NAME'), { env: 'UCP_USERNAME', help: 'a UCP administrator' }),
  ucpPassword: secret('PASSWORD', { env: 'UCP_PASSWORD', help: 'password of that user' }),
  ucpCa: pem({ env: 'UCP_CA', notInDotenv: true, help: "UCP's CA certificate: PEM text or a path to it" }),
  ucpInsecureTls: onOff({ env: 'UCP_INSECURE_TLS', notInDotenv: true, help: "do not check UCP's certificate" }),
});

export const replica = part('UCP and replica', {
  existingReplicaId: text(
    { placeholder: 'ID', parse: parseReplicaId, expects: '12 hex digits' },
    { env: 'DTR_REPLICA_ID', help: 'the replica; may be left out when the cluster has one' },
  ),
  dtrVersion: text(
    { placeholder: 'VERSION', parse: parseDtrVersion, expects: 'a version such as 2.9.4' },
    { env: 'DTR_VERSION', help: 'the version of DTR, when it cannot be detected' },
  ),
});

export const database = part('UCP and replica', {
  rethinkdbAddr: text(
    { placeholder: 'HOST:PORT', parse: parseRethinkdbAddress, expects: 'HOST:PORT' },
    {
      env: 'MSR_RETHINKDB_ADDR',
      defaultInMsr: 'msr-rethinkdb-proxy:28015',
      help: 'RethinkDB itself; without --ucp-url UCP and the overlay network are not used',
    },
  ),
  rethinkdbCa: pem({
    env: 'MSR_RETHINKDB_CA_CERT_FILE',
    notInDotenv: true,
    defaultInMsr: '/certs/rethinkdb/ca.crt',
    help: "path of the CA certificate that RethinkDB's certificate is checked against",
  }),
  rethinkdbClientCert: pem({
    env: 'MSR_RETHINKDB_CLIENT_CERT_FILE',
    defaultInMsr: '/certs/rethinkdb-client/tls.crt',
    help: 'path of the client certificate',
  }),
  rethinkdbClientKey: pem({
    env: 'MSR_RETHINKDB_CLIENT_KEY_FILE',
    defaultInMsr: '/certs/rethinkdb-client/tls.key',
    help: 'path of the client key',
  }),
});

export const advancedDatabase = part(advanced, {
  rethinkdbClientKeyPassphrase: secret('PASSPHRASE', {
    env: 'MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE',
    help: 'passphrase of an encrypted client key',
  }),
  rethinkdbUser: text(anyText('NAME'), { env: 'MSR_RETHINKDB_USER', default: 'admin', help: 'a user of RethinkDB' }),
  rethinkdbPassword: secret('PASSWORD', { env: 'MSR_RETHINKDB_PASSWORD', help: 'password of that user' }),
  rethinkdbInsecureSkipVerify: onOff({
    env: 'MSR_RETHINKDB_INSECURE_SKIP_VERIFY',
    notInDotenv: true,
    help: "do not check RethinkDB's certificate",
  }),
  rethinkdbPlaintext: onOff({ help: 'no TLS; only together with --rethinkdb-addr' }),
});

export const timeouts = part(advanced, {
  connectTimeout: text(seconds, {
    env: 'DTR_CONNECT_TIMEOUT',
    default: '60',
    help: 'how long to retry when UCP, RethinkDB or an SFTP server cannot be reached, at the start and in the middle',
  }),
  readTimeout: text(seconds, {
    env: 'DTR_READ_TIMEOUT',
    default: '60',
    help: 'timeout of one read of RethinkDB, UCP or SFTP, or of the images, without data',
  }),
});

/** Which tables a backup holds, and in which form. */
export const content = part('What is backed up', {
  ignoreEventsTable: onOff({ env: 'DTR_IGNORE_EVENTS_TABLE', help: 'leave out the table events' }),
  ignoreScanData: onOff({ env: 'DTR_IGNORE_SCAN_DATA', help: 'leave out tables scanned_images and scanned_layers' }),
  includeTable: list(tablePattern, {
    help: 'also back up this table (DB.*: all of a database), which is left out by default; repeatable',
  }),
  excludeTable: list(tablePattern, { help: 'leave out this table (DB.*: all of a database); repeatable' }),
  certificates: onOff({
    default: true,
    help: 'back up the files of volumes dtr-ca and dtr-notary; --no-certificates leaves them out',
  }),
  rateLimit: text(
    { placeholder: 'RATE', parse: parseRateLimit, expects: '5000/s (documents) or 10MB/s' },
    { env: 'DTR_RATE_LIMIT', help: 'read at most this many documents (5000/s) or this much of their JSON (10MB/s)' },
  ),
  consistency: text(oneOf(['snapshot', 'scan']), {
    env: 'DTR_CONSISTENCY',
    help: 'snapshot: tables and what changes in them meanwhile; scan: tables alone; default: snapshot if the server can',
  }),
  settleTime: text(secondsFrom(minPauseMs), {
    env: 'DTR_SETTLE_TIME',
    default: '1',
    group: advanced,
    help: 'a snapshot ends after this long without a change; it waits up to ten times as long for such a pause',
  }),
  changefeedQueueSize: text(wholeNumber('CHANGES'), {
    env: 'DTR_CHANGEFEED_QUEUE_SIZE',
    default: '500000',
    group: advanced,
    help: 'how many changes of a table RethinkDB keeps in memory for a snapshot; with more the backup ends with 11',
  }),
  documentEncoding: text(documentEncodings, {
    env: 'DTR_DOCUMENT_ENCODING',
    default: 'reql',
    help: "reql: RethinkDB's own JSON, lossless; dtr: the form that docker/dtr restore reads",
  }),
});

export const offline = part('What is backed up', {
  offlineBackup: onOff({
    env: 'DTR_OFFLINE_BACKUP',
    help: 'stop the containers of the replica that write, read its tables, then start the containers again',
  }),
  startTimeout: text(seconds, {
    env: 'DTR_START_TIMEOUT',
    default: '300',
    group: advanced,
    help: 'how long the containers that --offline-backup stopped may take to start again',
  }),
});

/** Which image content is backed up, and from where. */
export const images = part('What is backed up', {
  registryPath: text(anyText('DIRECTORY'), {
    env: 'DTR_REGISTRY_PATH',
    default: '/registry',
    help: 'where the registry storage is mounted into this job; read from there if it is',
  }),
  since: list(anyText('ARCHIVE'), { help: 'leave out the blobs of this image archive, verified first; repeatable' }),
  allowChanged: onOff({
    env: 'DTR_ALLOW_CHANGED',
    notInDotenv: true,
    help: 'end with 0 also when files changed or vanished while they were read, do not fit a tar, or are missing in the registry itself',
  }),
});

export const output = part('Output', {
  output: text(anyText('PLACE'), {
    env: 'DTR_OUTPUT',
    help: 'write to a file, s3://bucket/key or sftp://user@host/path, not to stdout; {version}, {replica} and {date} are filled in',
  }),
  summary: text(anyText('FILE'), {
    env: 'DTR_SUMMARY',
    help: 'also write the summary of the archive to FILE, as it lies beside every --output',
  }),
  verify: onOff({
    env: 'DTR_VERIFY',
    help: 'read the finished --output back and verify it: a file before it is renamed into place, an object after',
  }),
  force: onOff({ help: 'let --output replace an existing archive' }),
});

/** What a restore may do to the replica, and which part of the archive it takes. */
export const restoring = part('What is restored', {
  replace: onOff({ help: 'make tables that hold documents equal to the archive: other documents are deleted' }),
  merge: onOff({ help: 'write into tables that hold documents: other documents stay' }),
  onlyTable: list(tablePattern, {
    flag: 'table',
    help: 'restore only this table (DB.*: all of a database); repeatable',
  }),
  allowVersionMismatch: onOff({ help: 'restore the archive of another minor version of DTR' }),
  skipIndexes: onOff({
    help: 'leave out the indexes and write hooks that this RethinkDB does not accept, and say how to make them by hand',
  }),
  skipVerify: onOff({ help: 'verify the archive while restoring, not before: faster, but damage is found too late' }),
  // Shares its flag with `certificates`, which is on by default: a restore never writes keys by default.
  writeCertificates: onOff({
    flag: 'certificates',
    help: "also write the archive's certificate files into volumes dtr-ca and dtr-notary; needs UCP",
  }),
  // Shares its flag with `verify`, which reads an output back.
  verifyRestored: onOff({
    flag: 'verify',
    help: 'compare every document with the replica after all are written, not only their number',
  }),
  breakLock: onOff({ help: 'take over the lock that a killed restore left in RethinkDB' }),
});

export const converting = part('What is converted', {
  // Shares its flag with `documentEncoding`, which has a default: a conversion keeps the encoding of the archive.
  convertedEncoding: text(documentEncodings, {
    flag: 'document-encoding',
    env: 'DTR_DOCUMENT_ENCODING',
    help: 'dtr: the form that docker/dtr restore reads, which cannot be turned back into reql (default: unchanged)',
  }),
  dropTable: list(tablePattern, { help: 'leave out this table (DB.*: all of a database); repeatable' }),
});

/** Of the run itself. */
export const running = part('Options', {
  dryRun: onOff({ help: 'print the plan and do nothing else' }),
  helpExtended: onOff({ env: 'DTR_EXTENDED_HELP', help: 'show every setting with its variable, and do nothing else' }),
  debug: onOff({ env: 'DEBUG', help: 'log more' }),
  logFormat: text(oneOf(['text', 'json']), {
    env: 'DTR_LOG_FORMAT',
    default: 'text',
    help: 'text for people or JSON for programs',
  }),
  nocolor: onOff({ env: 'NOCOLOR', group: advanced, help: 'of MSR 2.8 and later; the log has no colors anyway' }),
});
