/** `images`: from the settings to the job. */
import { isStorageMounted } from '../jobs/images/image-storage.js';
import { backUpImages, type ImagesOptions } from '../jobs/images/images.js';
import { rejectFaults } from '../settings/reader.js';
import { resolveCredentials, resolveOutput } from '../settings/resolve.js';
import { prepareOutput } from './archive-output.js';
import type { RunCommand, SettingsOf } from './commands.js';

export const runImages: RunCommand<'images'> = async (read, run) => {
  const { values, faults } = read;
  const output = resolveOutput(read, { opensInput: values.since.length > 0 });
  const storage = await resolveStorage(read, run.context.signal);
  rejectFaults(faults);
  const openOutput = await prepareOutput(output, { isDryRun: values.dryRun, holdsKeys: false }, run);
  const options: ImagesOptions = {
    ...storage,
    ...(values.existingReplicaId !== undefined && { replicaId: values.existingReplicaId }),
    ...(values.dtrVersion !== undefined && { dtrVersion: values.dtrVersion }),
    connectWindowMs: values.connectTimeout,
    readTimeoutMs: values.readTimeout,
    since: values.since,
    keys: output.keys,
    allowChanged: values.allowChanged,
    dryRun: values.dryRun,
    tool: run.processContext.tool,
  };
  await backUpImages(options, openOutput, run.context);
};

/** Through UCP; without it where the storage is mounted and the replica named. Adds what is missing to the faults. */
async function resolveStorage(
  read: SettingsOf<'images'>,
  signal: AbortSignal,
): Promise<Pick<ImagesOptions, 'ucp' | 'mountedAt'>> {
  const { values, given, faults } = read;
  const { registryPath } = values;
  const isMounted = await isStorageMounted(registryPath, { timeoutMs: values.readTimeout, signal });
  if (given.has('registryPath') && !isMounted) {
    faults.push(`--registry-path (DTR_REGISTRY_PATH): ${registryPath} is not a directory of this job`);
    return {};
  }
  const mounted = isMounted ? { mountedAt: registryPath } : {};
  if (isMounted && values.existingReplicaId !== undefined && !given.has('ucpUrl')) return mounted;
  const alternative = "the registry's volume mounted at /registry and --existing-replica-id, to go without UCP";
  const ucp = resolveCredentials(read, alternative);
  return { ...mounted, ...(ucp !== undefined && { ucp }) };
}
