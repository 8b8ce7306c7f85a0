/**
 * How to reach a replica's RethinkDB: through UCP, or directly. The checks across settings that every command which
 * reads or writes a replica shares.
 */
import { Secret } from '../base/secret.js';
import type { Access, UcpCredentials } from '../model/access.js';
import type { TlsIdentity } from '../model/tls-identity.js';
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
    connectWindowMs: values.connectTimeout,
    readTimeoutMs: values.readTimeout,
  };
}

/**
 * The credentials for UCP, or undefined after adding what is missing to `read.faults`; `alternative` says what to give
 * instead.
 */
export function readCredentials(
  { values, given, faults }: ReadSettings<(typeof ucpNames)[number]>,
  alternative: string,
): UcpCredentials | undefined {
  const { ucpUrl: url, ucpUsername: username, ucpPassword: password, ucpCa: ca } = values;
  if (!given.has('ucpUrl')) faults.push(`${spelled('ucpUrl')} is missing (or ${alternative})`);
  if (!given.has('ucpUsername')) faults.push(`${spelled('ucpUsername')} is missing`);
  if (!given.has('ucpPassword')) {
    const how = 'docker run --env UCP_PASSWORD=$UCP_PASSWORD …, or a file named by UCP_PASSWORD_FILE';
    faults.push(`${spelled('ucpPassword')} is missing; pass it like this: ${how}`);
  }
  if (url === undefined || username === undefined || password === undefined) return undefined;
  return { url, username, password, ...(ca !== undefined && { ca }), insecureTls: values.ucpInsecureTls };
}

function tlsIdentity(values: SettingValues<AccessSettingName>): TlsIdentity {
  return {
    ...(values.rethinkdbCa !== undefined && { ca: values.rethinkdbCa }),
    ...(values.rethinkdbClientCert !== undefined && { cert: values.rethinkdbClientCert }),
    ...(values.rethinkdbClientKey !== undefined && { key: new Secret(values.rethinkdbClientKey) }),
  };
}

/** `--ucp-url (UCP_URL)`. */
function spelled(name: SettingName): string {
  const setting = settings[name];
  return 'env' in setting ? `--${setting.flag} (${setting.env})` : `--${setting.flag}`;
}
