/**
 * The checks across settings that commands share: how a replica is reached, what wraps an archive, what opens one. Each
 * adds to the faults of the settings that were read.
 */
import { UsageError } from '../base/errors.js';
import { Secret } from '../base/secret.js';
import type { DecryptionKeys, Encryption, Wrapping } from '../model/envelope.js';
import type { Access, TlsIdentity, UcpCredentials } from '../model/replica-access.js';
import { parsePlace, type Place, type StoredPlace } from '../model/place.js';
import type { ReadSettings } from './reader.js';
import { settings, type AccessName, type KeyName, type SettingName, type SettingValues } from './settings.js';
import type { OutputName, UcpName, WrappingName } from './settings.js';

interface AccessNeeds {
  /** The version of DTR, which only UCP tells. */
  readonly needsVersion: boolean;
  /** The fault where UCP is not used. */
  readonly needsUcp?: string | false;
}

/** How to reach the replica. Called after all other checks: throws a UsageError with every fault there is. */
export function resolveAccess(read: ReadSettings<AccessName>, { needsVersion, needsUcp }: AccessNeeds): Access {
  const { values, given, faults } = read;
  const { rethinkdbPlaintext: isPlaintext } = values;
  const isDirect = isDirectAccess(read);
  const address = values.rethinkdbAddr ?? (isDirect ? read.readDefaultInMsr('rethinkdbAddr').value : undefined);
  if (isDirect && needsVersion && !given.has('dtrVersion')) {
    faults.push(`${spelled('dtrVersion')} is needed: without UCP (--ucp-url) it cannot be detected`);
  }
  if (isDirect && needsUcp) faults.push(needsUcp);
  const ucp = isDirect ? undefined : resolveCredentials(read, '--rethinkdb-addr, to go without UCP');
  checkPasswordTarget(read, 'rethinkdbAddr', 'rethinkdbPassword');
  if (isPlaintext && !given.has('rethinkdbAddr')) faults.push('--rethinkdb-plaintext is only for --rethinkdb-addr');
  if (given.has('rethinkdbClientCert') !== given.has('rethinkdbClientKey')) {
    faults.push('--rethinkdb-client-cert and --rethinkdb-client-key go together');
  }
  const isTlsGiven =
    (['rethinkdbCa', 'rethinkdbClientCert', 'rethinkdbServerName'] as const).some((name) => given.has(name)) ||
    values.rethinkdbInsecureSkipVerify;
  if (isPlaintext && isTlsGiven) faults.push('--rethinkdb-plaintext contradicts the TLS settings of RethinkDB');
  const identity = isPlaintext ? {} : identityOf(read, isDirect);
  const { rethinkdbInsecureSkipVerify: insecureSkipVerify, rethinkdbServerName: serverName } = values;
  const serverCheck = { insecureSkipVerify, serverName };
  const common = {
    replicaId: values.existingReplicaId,
    dtrVersion: values.dtrVersion,
    security: isPlaintext ? ({ kind: 'plaintext' } as const) : ({ kind: 'tls', identity, ...serverCheck } as const),
    rethinkdbUser: { name: values.rethinkdbUser, password: values.rethinkdbPassword ?? new Secret('') },
    connectWindowMs: values.connectTimeout,
    readTimeoutMs: values.readTimeout,
  };
  if (faults.length === 0 && ucp !== undefined) return { kind: 'ucp', ucp, address, ...common };
  if (faults.length === 0 && address !== undefined) return { kind: 'direct', address, ...common };
  throw new UsageError(faults);
}

/** Without UCP: RethinkDB is named; or nothing of UCP is, and a client certificate is given or there, as in MSR 3. */
function isDirectAccess({ given, readDefaultInMsr }: ReadSettings<AccessName>): boolean {
  if (given.has('ucpUrl')) return false;
  if (given.has('rethinkdbAddr')) return true;
  if (given.has('ucpUsername') || given.has('ucpPassword')) return false;
  return given.has('rethinkdbClientCert') || readDefaultInMsr('rethinkdbClientCert').isThere;
}

/** The credentials for UCP, or undefined where it adds a fault; `alternative` says what could be given instead. */
export function resolveCredentials(read: ReadSettings<UcpName>, alternative: string): UcpCredentials | undefined {
  const { values, given, faults } = read;
  const { ucpUrl: url, ucpUsername: username, ucpPassword: password, ucpCa: ca, ucpInsecureTls: insecureTls } = values;
  const { ucpClientCert: cert, ucpClientKey: key } = values;
  if (!given.has('ucpUrl')) faults.push(`${spelled('ucpUrl')} is missing (or ${alternative})`);
  if (!given.has('ucpUsername')) faults.push(`${spelled('ucpUsername')} is missing`);
  if (!given.has('ucpPassword')) {
    const how = 'export UCP_PASSWORD; docker run --env UCP_PASSWORD …, or a file named by UCP_PASSWORD_FILE';
    faults.push(`${spelled('ucpPassword')} is missing; pass it like this: ${how}`);
  }
  if (given.has('ucpClientCert') !== given.has('ucpClientKey')) {
    faults.push('--ucp-client-cert and --ucp-client-key go together');
  }
  checkPasswordTarget(read, 'ucpUrl', 'ucpPassword');
  if (url === undefined || username === undefined || password === undefined) return undefined;
  const clientPair = cert === undefined || key === undefined ? undefined : { cert, key: new Secret(key) };
  return { url, username, password, ca, clientPair, insecureTls };
}

/**
 * Adds a fault where `.env` says where a password is sent that it does not hold itself: anybody who may write into the
 * working directory could have it sent to a server of their own, or any file that `.env` names.
 */
function checkPasswordTarget(read: ReadSettings<never>, address: SettingName, password: SettingName): void {
  const { given, inDotenv, faults } = read;
  if (!inDotenv.has(address) || !given.has(password) || inDotenv.get(password) === 'text') return;
  const advice = `give ${spelled(address)} where you give the password`;
  faults.push(`the password for ${spelled(address)} is not sent to an address from .env: ${advice}`);
}

/** What is not given is that of MSR 3 in direct mode; certificate and key go together. */
function identityOf({ values, given, readDefaultInMsr }: ReadSettings<AccessName>, isDirect: boolean): TlsIdentity {
  const isPairGiven = given.has('rethinkdbClientCert') || given.has('rethinkdbClientKey');
  const [cert, key] = (['rethinkdbClientCert', 'rethinkdbClientKey'] as const).map((name) =>
    isDirect && !isPairGiven ? readDefaultInMsr(name).value : values[name],
  );
  return {
    ca: isDirect && !given.has('rethinkdbCa') ? readDefaultInMsr('rethinkdbCa').value : values.rethinkdbCa,
    cert,
    key: key === undefined ? undefined : new Secret(key),
    passphrase: values.rethinkdbClientKeyPassphrase,
  };
}

/** Where an archive goes, what wraps it, and what opens it again. */
export interface OutputSettings {
  readonly target:
    | { readonly kind: 'stdout' }
    | { readonly kind: 'stored'; readonly place: StoredPlace; readonly verify: boolean; readonly force: boolean };
  /** The file that also gets the summary. */
  readonly summary: string | undefined;
  readonly wrapping: Wrapping;
  readonly keys: DecryptionKeys;
}

export function decryptionKeys({ passphrase, decryptKey }: SettingValues<KeyName>): DecryptionKeys {
  return { passphrase, privateKey: decryptKey === undefined ? undefined : new Secret(decryptKey) };
}

/**
 * Adds to the faults what is missing or contradictory. `opensInput` says that the keys are also for an archive that the
 * command reads.
 */
export function resolveOutput(
  read: ReadSettings<OutputName | WrappingName>,
  { opensInput }: { readonly opensInput: boolean },
): OutputSettings {
  const { values, given, faults } = read;
  const { output = '-', verify, force, encrypt, summary } = values;
  const toKeys = given.has('encryptTo');
  const place = resolvePlace(output, '--output', faults);
  const toStdout = place.kind === 'stdio';
  if (toStdout && verify) {
    faults.push('--verify is for --output FILE; pipe stdout through `tee FILE | dtr-backup verify -` instead');
  }
  if (!toKeys && encrypt && !given.has('passphrase')) {
    faults.push('--encrypt needs --passphrase (better BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE) or --encrypt-to');
  }
  if (toKeys && given.has('encrypt') && !encrypt) faults.push('--no-encrypt contradicts --encrypt-to');
  if (toKeys && verify && !given.has('decryptKey')) {
    faults.push('--verify must read what --encrypt-to encrypts: also give --decrypt-key');
  }
  if (!opensInput) checkUnusedKeys(read, toKeys);
  return {
    target: toStdout ? { kind: 'stdout' } : { kind: 'stored', place, verify, force },
    summary,
    wrapping: { compression: values.compress, encryption: encryptionOf(values) },
    keys: decryptionKeys(values),
  };
}

/** The place that `text` names; adds a fault, and gives stdio, where it names none. */
export function resolvePlace(text: string, what: string, faults: string[]): Place {
  const parsed = parsePlace(text);
  const isDirectory =
    parsed.ok && parsed.value.kind !== 'stdio' && parsed.value.kind !== 'file' && /^$|\/$/.test(parsed.value.path);
  if (!parsed.ok) faults.push(`${what}: ${parsed.reason}`);
  else if (isDirectory) faults.push(`${what}: it names no archive, but a directory`);
  return parsed.ok ? parsed.value : { kind: 'stdio' };
}

/** Of a command that reads no archive but its own output. */
function checkUnusedKeys({ values, given, faults }: ReadSettings<OutputName | WrappingName>, toKeys: boolean): void {
  if (!toKeys && given.has('passphrase') && !given.has('encrypt')) {
    faults.push('a passphrase is given without --encrypt: add --encrypt, or --no-encrypt for a plain archive');
  }
  if (given.has('decryptKey') && !(toKeys && values.verify)) {
    faults.push('--decrypt-key is only for --verify together with --encrypt-to');
  } else if (toKeys && given.has('passphrase') && !given.has('decryptKey')) {
    const why = 'with --encrypt-to only the keys open the archive';
    faults.push(`--passphrase and --encrypt-to contradict each other: ${why}`);
  }
}

function encryptionOf({ encrypt, encryptTo, passphrase }: SettingValues<WrappingName>): Encryption | undefined {
  if (encryptTo !== undefined) return { publicKeys: encryptTo };
  return encrypt && passphrase !== undefined ? { passphrase } : undefined;
}

/** `--ucp-url (UCP_URL)`. */
function spelled(name: SettingName): string {
  const setting = settings[name];
  return 'env' in setting ? `--${setting.flag} (${setting.env})` : `--${setting.flag}`;
}
