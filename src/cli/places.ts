/** Opens what a place names: the store that keeps archives there, or one archive in it. */
import type { Input } from '../model/archive-stream.js';
import { Cleanup } from '../base/cleanup.js';
import { errorText, UsageError } from '../base/errors.js';
import { Secret } from '../base/secret.js';
import type { StoredPlace } from '../model/place.js';
import type { JobContext } from '../jobs/job-context.js';
import { resolvePlace } from '../settings/resolve.js';
import type { KeepingName, SettingValues, StoreName } from '../settings/settings.js';
import { openFileStore } from '../store/file-store.js';
import { streamInput } from '../store/input.js';
import type { S3Settings } from '../store/s3/s3-store.js';
import type { SftpSettings } from '../store/sftp/sftp-store.js';
import type { Store } from '../store/store.js';
import type { CommandRun } from './commands.js';

/** Of the commands, some have some of these. */
type StoreValues = SettingValues<StoreName> & Partial<SettingValues<KeepingName | 'connectTimeout' | 'readTimeout'>>;

/** The defaults of `--connect-timeout` and `--read-timeout`, for commands that have neither. */
const patience = { connectWindowMs: 60_000, readTimeoutMs: 60_000 };

/** The store of a place. Throws a UsageError where settings are missing, or as the store does. */
export async function openStore(place: StoredPlace, values: StoreValues, context: JobContext): Promise<Store> {
  const storeContext = { signal: context.signal, warn: (message: string) => context.log.warn(message) };
  if (place.kind === 'file') return openFileStore(storeContext);
  // Neither client is needed for anything else, and loading them takes time.
  if (place.kind === 's3') {
    const { openS3Store } = await import('../store/s3/s3-store.js');
    return openS3Store(place.bucket, s3Settings(values), storeContext);
  }
  const { openSftpStore } = await import('../store/sftp/sftp-store.js');
  return openSftpStore(place, await sftpSettings(values, context), storeContext);
}

/**
 * Opens the archive at the place that `text` names, stdin for `-`; the input owns what it needs. Throws a UsageError for no
 * place, and a JobError with exit code 2 where it cannot be opened.
 */
export async function openArchiveAt(
  text: string,
  values: StoreValues,
  { processContext, context }: Pick<CommandRun, 'processContext' | 'context'>,
): Promise<Input> {
  const faults: string[] = [];
  const place = resolvePlace(text, 'the archive', faults);
  if (faults.length > 0) throw new UsageError(faults);
  if (place.kind === 'stdio') return streamInput(processContext.stdin.open(), context.signal);
  return Cleanup.over(async (cleanup) => {
    const store = cleanup.use(await openStore(place, values, context));
    const input = cleanup.use(await store.openInput(place.path));
    return { ...input, [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose]() };
  });
}

function s3Settings(values: StoreValues): S3Settings {
  const { s3Endpoint, s3Region, s3PathStyle, s3Ca, awsAccessKeyId, awsSecretAccessKey, awsSessionToken } = values;
  return {
    endpoint: s3Endpoint,
    region: s3Region,
    pathStyle: s3PathStyle,
    ca: s3Ca,
    accessKeyId: awsAccessKeyId,
    secretAccessKey: awsSecretAccessKey,
    sessionToken: awsSessionToken,
    objectLockDays: values.objectLockDays,
  };
}

async function sftpSettings(values: StoreValues, { readFile }: JobContext): Promise<SftpSettings> {
  const { sftpUser, sftpKey, sftpKeyPassphrase, sftpPassword, sshKnownHosts, sshFingerprint } = values;
  const knownHosts = sshKnownHosts === undefined ? undefined : await readKnownHosts(sshKnownHosts, readFile);
  return {
    user: sftpUser,
    privateKey: sftpKey === undefined ? undefined : new Secret(sftpKey),
    passphrase: sftpKeyPassphrase,
    password: sftpPassword,
    knownHosts,
    fingerprint: sshFingerprint,
    connectWindowMs: values.connectTimeout ?? patience.connectWindowMs,
    readTimeoutMs: values.readTimeout ?? patience.readTimeoutMs,
  };
}

async function readKnownHosts(path: string, readFile: JobContext['readFile']): Promise<string> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError([`--ssh-known-hosts: cannot read the file: ${errorText(error)}`]);
  }
}
