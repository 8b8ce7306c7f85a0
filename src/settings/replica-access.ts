/**
 * How to reach a replica's RethinkDB: through UCP, or directly. The checks across settings that every command which
 * reads or writes a replica shares.
 */
import { Secret } from '../base/secret.js';
import type { Access, UcpCredentials, TlsIdentity } from '../model/replica-access.js';
import type { ReadSettings } from './reader.js';
import { settings, type accessNames, type SettingName, type SettingValues, type ucpNames } from './settings.js';

type AccessSettingName = (typeof accessNames)[number];

/**
 * Gives the way to the replica, or adds to `read.faults` what is missing or contradictory and gives undefined. A command
 * that does without `needsVersion` finds the version of DTR out by itself.
 */
export function resolveAccess(
  read: ReadSettings<AccessSettingName>,
  { needsVersion = true }: { readonly needsVersion?: boolean } = {},
): Access | undefined {
  const { values, given, faults } = read;
  const isDirect = given.has('rethinkdbAddr') && !given.has('ucpUrl');
  if (isDirect && needsVersion && !given.has('dtrVersion')) {
    faults.push(`${spelled('dtrVersion')} is needed with --rethinkdb-addr: without UCP it cannot be detected`);
  }
  const ucp = isDirect ? undefined : readCredentials(read, '--rethinkdb-addr, to go without UCP');
  assertSamePlace(read, 'rethinkdbAddr', 'rethinkdbPassword');
  if (values.rethinkdbPlaintext && !given.has('rethinkdbAddr')) {
    faults.push('--rethinkdb-plaintext is only for --rethinkdb-addr');
  }
  if (given.has('rethinkdbClientCert') !== given.has('rethinkdbClientKey')) {
    faults.push('--rethinkdb-client-cert and --rethinkdb-client-key go together');
  }
  const isTlsGiven = given.has('rethinkdbCa') || given.has('rethinkdbClientCert') || values.rethinkdbInsecureSkipVerify;
  if (values.rethinkdbPlaintext && isTlsGiven) {
    faults.push('--rethinkdb-plaintext contradicts the TLS settings of RethinkDB');
  }
  // A setting with a fault has no value, so nothing can be made of the others.
  if (faults.length > 0) return undefined;
  return {
    ...(ucp !== undefined && { ucp }),
    ...(values.existingReplicaId !== undefined && { replicaId: values.existingReplicaId }),
    ...(values.dtrVersion !== undefined && { dtrVersion: values.dtrVersion }),
    ...(values.rethinkdbAddr !== undefined && { address: values.rethinkdbAddr }),
    plaintext: values.rethinkdbPlaintext,
    tls: tlsIdentity(values),
    insecureSkipVerify: values.rethinkdbInsecureSkipVerify,
    rethinkdbUser: { name: values.rethinkdbUser, password: values.rethinkdbPassword ?? new Secret('') },
    connectWindowMs: values.connectTimeout,
    readTimeoutMs: values.readTimeout,
  };
}

/**
 * The credentials for UCP, or undefined after adding what is missing to `read.faults`; `alternative` says what to give
 * instead.
 */
export function readCredentials(
  read: ReadSettings<(typeof ucpNames)[number]>,
  alternative: string,
): UcpCredentials | undefined {
  const { values, given, faults } = read;
  const { ucpUrl: url, ucpUsername: username, ucpPassword: password, ucpCa: ca } = values;
  if (!given.has('ucpUrl')) faults.push(`${spelled('ucpUrl')} is missing (or ${alternative})`);
  if (!given.has('ucpUsername')) faults.push(`${spelled('ucpUsername')} is missing`);
  if (!given.has('ucpPassword')) {
    const how = 'export UCP_PASSWORD; docker run --env UCP_PASSWORD …, or a file named by UCP_PASSWORD_FILE';
    faults.push(`${spelled('ucpPassword')} is missing; pass it like this: ${how}`);
  }
  assertSamePlace(read, 'ucpUrl', 'ucpPassword');
  if (url === undefined || username === undefined || password === undefined) return undefined;
  return { url, username, password, ...(ca !== undefined && { ca }), insecureTls: values.ucpInsecureTls };
}

/**
 * Adds a fault where `.env` says whither a password goes that it does not hold itself: whoever may write into the
 * working directory would be sent it, or any file that `.env` names.
 */
function assertSamePlace(
  { given, inDotenv, faults }: Pick<ReadSettings<never>, 'given' | 'inDotenv' | 'faults'>,
  address: SettingName,
  password: SettingName,
): void {
  if (!inDotenv.has(address) || !given.has(password) || inDotenv.get(password) === 'text') return;
  const advice = `give ${spelled(address)} where you give the password`;
  faults.push(`the password for ${spelled(address)} is not sent to an address that .env says: ${advice}`);
}

function tlsIdentity(values: SettingValues<AccessSettingName>): TlsIdentity {
  return {
    ...(values.rethinkdbCa !== undefined && { ca: values.rethinkdbCa }),
    ...(values.rethinkdbClientCert !== undefined && { cert: values.rethinkdbClientCert }),
    ...(values.rethinkdbClientKey !== undefined && { key: new Secret(values.rethinkdbClientKey) }),
    ...(values.rethinkdbClientKeyPassphrase !== undefined && { passphrase: values.rethinkdbClientKeyPassphrase }),
  };
}

/** `--ucp-url (UCP_URL)`. */
function spelled(name: SettingName): string {
  const setting = settings[name];
  return 'env' in setting ? `--${setting.flag} (${setting.env})` : `--${setting.flag}`;
}
