/** `images`: from the settings to the job. */
import { isStorageMounted, type StorageAccess } from '../jobs/images/image-storage.js';
import { backUpImages, type ImagesOptions } from '../jobs/images/images.js';
import { UsageError } from '../base/errors.js';
import { resolveCredentials, resolveOutput } from '../settings/resolve.js';
import { prepareOutput } from './archive-output.js';
import type { RunCommand, SettingsOf } from './commands.js';
import { openArchiveAt } from './places.js';

export const runImages: RunCommand<'images'> = async (read, run) => {
  const { values, faults } = read;
  const settings = resolveOutput(read, { opensInput: values.since.length > 0 });
  const access = await resolveStorage(read, run.context.signal);
  if (access === undefined || faults.length > 0) throw new UsageError(faults);
  await using output = await prepareOutput({ settings, values, isDryRun: values.dryRun, holdsKeys: false }, run);
  const options: ImagesOptions = {
    access,
    dtrVersion: values.dtrVersion,
    connectWindowMs: values.connectTimeout,
    readTimeoutMs: values.readTimeout,
    since: values.since.map((text) => () => openArchiveAt(text, values, run)),
    keys: settings.keys,
    allowChanged: values.allowChanged,
    dryRun: values.dryRun,
    tool: run.processContext.tool,
  };
  await backUpImages(options, output, run.context);
};

/** Without UCP where the storage is mounted and the replica named. Undefined where it adds to the faults. */
async function resolveStorage(read: SettingsOf<'images'>, signal: AbortSignal): Promise<StorageAccess | undefined> {
  const { values, given, faults } = read;
  const { registryPath, existingReplicaId: replicaId } = values;
  const isMounted = await isStorageMounted(registryPath, { timeoutMs: values.readTimeout, signal });
  if (given.has('registryPath') && !isMounted) {
    faults.push(`--registry-path (DTR_REGISTRY_PATH): ${registryPath} is not a directory of this job`);
    return undefined;
  }
  if (isMounted && replicaId !== undefined && !given.has('ucpUrl'))
    return { kind: 'mounted', path: registryPath, replicaId };
  const alternative = "the registry's volume mounted at /registry and --existing-replica-id, to go without UCP";
  const ucp = resolveCredentials(read, alternative);
  return ucp && { kind: 'ucp', ucp, replicaId, path: isMounted ? registryPath : undefined };
}
