/**
 * The one table of settings. The parser, `--help`, the README and the messages about bad values all come from it.
 * Order of precedence: flag, environment, NAME_FILE, .env, default.
 */
import { Secret } from '../base/secret.js';
import { parseDtrVersion } from '../model/dtr-version.js';
import { parseReplicaId } from '../model/replica-id.js';
import { parseRethinkdbAddress } from '../model/rethinkdb-address.js';
import { parseTablePattern } from '../model/table-pattern.js';
import { parseUcpUrl } from '../model/ucp-url.js';
import { flag, list, pem, text, type SettingValue } from './setting.js';

const seconds = (value: string): number | undefined =>
  /^[1-9]\d{0,5}$/.test(value) ? Number(value) * 1000 : undefined;
const anyText = (value: string): string => value;
const secret = (value: string): Secret => new Secret(value);

const documentEncodings = ['reql', 'dtr'] as const;
const logFormats = ['text', 'json'] as const;
const oneOf =
  <T extends string>(values: readonly T[]) =>
  (value: string): T | undefined =>
    values.find((known) => known === value);

export const settings = {
  ucpUrl: text({
    flag: 'ucp-url',
    env: 'UCP_URL',
    placeholder: 'URL',
    help: 'UCP, with or without https://',
    parse: parseUcpUrl,
    expects: 'a host name or an https URL',
  }),
  ucpUsername: text({
    flag: 'ucp-username',
    env: 'UCP_USERNAME',
    placeholder: 'NAME',
    help: 'a UCP administrator',
    parse: anyText,
  }),
  ucpPassword: text({
    flag: 'ucp-password',
    env: 'UCP_PASSWORD',
    placeholder: 'PASSWORD',
    help: 'better passed as UCP_PASSWORD or UCP_PASSWORD_FILE: flags show in process lists',
    parse: secret,
  }),
  ucpCa: pem({ flag: 'ucp-ca', env: 'UCP_CA', help: "UCP's CA certificate: PEM text or a path to it" }),
  ucpInsecureTls: flag({ flag: 'ucp-insecure-tls', env: 'UCP_INSECURE_TLS', help: 'do not check UCP’s certificate' }),
  existingReplicaId: text({
    flag: 'existing-replica-id',
    env: 'DTR_REPLICA_ID',
    placeholder: 'ID',
    help: 'the replica to back up; may be left out when the cluster has one',
    parse: parseReplicaId,
    expects: '12 hex digits',
  }),
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
  documentEncoding: text({
    flag: 'document-encoding',
    env: 'DTR_DOCUMENT_ENCODING',
    placeholder: documentEncodings.join('|'),
    help: "reql: RethinkDB's own JSON, lossless; dtr: the form that docker/dtr restore reads",
    parse: oneOf(documentEncodings),
    expects: documentEncodings.join(' or '),
    default: 'reql',
  }),
  output: text({
    flag: 'output',
    env: 'DTR_OUTPUT',
    placeholder: 'FILE',
    help: 'write to FILE instead of stdout; {version}, {replica} and {date} are filled in',
    parse: anyText,
  }),
  force: flag({ flag: 'force', help: 'let --output replace an existing file' }),
  dryRun: flag({ flag: 'dry-run', help: 'print the plan and read no table' }),
  json: flag({ flag: 'json', help: 'print JSON for programs' }),
  allowUnproven: flag({
    flag: 'allow-unproven',
    env: 'DTR_ALLOW_UNPROVEN',
    help: 'accept an archive without a manifest (the vendor’s), whose completeness cannot be proved',
  }),
  dtrVersion: text({
    flag: 'dtr-version',
    env: 'DTR_VERSION',
    placeholder: 'VERSION',
    help: 'the version of DTR, when it cannot be detected',
    parse: parseDtrVersion,
    expects: 'a version such as 2.9.4',
  }),
  rethinkdbAddr: text({
    flag: 'rethinkdb-addr',
    env: 'MSR_RETHINKDB_ADDR',
    placeholder: 'HOST:PORT',
    help: 'RethinkDB itself; without UCP settings neither UCP nor the overlay network is used',
    parse: parseRethinkdbAddress,
    expects: 'HOST:PORT',
  }),
  rethinkdbCa: pem({
    flag: 'rethinkdb-ca',
    env: 'MSR_RETHINKDB_CA_CERT_FILE',
    help: "path of the CA certificate that RethinkDB's is checked against",
  }),
  rethinkdbClientCert: pem({
    flag: 'rethinkdb-client-cert',
    env: 'MSR_RETHINKDB_CLIENT_CERT_FILE',
    help: 'path of the client certificate',
  }),
  rethinkdbClientKey: pem({
    flag: 'rethinkdb-client-key',
    env: 'MSR_RETHINKDB_CLIENT_KEY_FILE',
    help: 'path of the client key',
  }),
  rethinkdbInsecureSkipVerify: flag({
    flag: 'rethinkdb-insecure-skip-verify',
    help: "do not check RethinkDB's certificate",
    extended: true,
  }),
  rethinkdbPlaintext: flag({
    flag: 'rethinkdb-plaintext',
    help: 'no TLS; only together with --rethinkdb-addr',
    extended: true,
  }),
  connectTimeout: text({
    flag: 'connect-timeout',
    env: 'DTR_CONNECT_TIMEOUT',
    placeholder: 'SECONDS',
    help: 'how long UCP or RethinkDB may be away, at the start and in the middle',
    parse: seconds,
    expects: 'whole seconds',
    default: '60',
    extended: true,
  }),
  readTimeout: text({
    flag: 'read-timeout',
    env: 'DTR_READ_TIMEOUT',
    placeholder: 'SECONDS',
    help: 'how long one read of RethinkDB may give nothing',
    parse: seconds,
    expects: 'whole seconds',
    default: '60',
    extended: true,
  }),
  debug: flag({ flag: 'debug', env: 'DEBUG', help: 'log more' }),
  logFormat: text({
    flag: 'log-format',
    env: 'DTR_LOG_FORMAT',
    placeholder: logFormats.join('|'),
    help: 'lines for people or for programs',
    parse: oneOf(logFormats),
    expects: logFormats.join(' or '),
    default: 'text',
  }),
} as const;

export type SettingName = keyof typeof settings;

/** The values of some settings after reading: absent ones are undefined, flags are true or false, lists may be empty. */
export type SettingValues<N extends SettingName> = { readonly [K in N]: SettingValue<(typeof settings)[K]> };

/** Settings of every command. */
export const globalSettings = ['debug', 'logFormat'] as const satisfies readonly SettingName[];

/** The settings that say how to reach a replica: of every command that reads or writes one. */
export const accessSettings = [
  'ucpUrl',
  'ucpUsername',
  'ucpPassword',
  'ucpCa',
  'ucpInsecureTls',
  'existingReplicaId',
  'dtrVersion',
  'rethinkdbAddr',
  'rethinkdbCa',
  'rethinkdbClientCert',
  'rethinkdbClientKey',
  'rethinkdbInsecureSkipVerify',
  'rethinkdbPlaintext',
  'connectTimeout',
  'readTimeout',
] as const satisfies readonly SettingName[];

/** The settings of `backup`, in the order that help lists them. */
export const backupSettings = [
  ...accessSettings,
  'ignoreEventsTable',
  'ignoreScanData',
  'includeTable',
  'excludeTable',
  'certificates',
  'documentEncoding',
  'output',
  'force',
  'dryRun',
] as const satisfies readonly SettingName[];

export const verifySettings = ['json', 'allowUnproven'] as const satisfies readonly SettingName[];

export const inspectSettings = ['json'] as const satisfies readonly SettingName[];
