/** `images`: from the settings to the job. */
import { prepareWrapping } from '../archive/envelope/envelope.js';
import { readCredentials } from '../settings/replica-access.js';
import { readSettings, rejectFaults, type ReadSettings } from '../settings/reader.js';
import { decryptionKeys, resolveWrapping } from '../settings/envelope-keys.js';
import { backUpImages, type ImagesOptions } from '../jobs/images/images.js';
import { isStorageMounted } from '../jobs/images/image-storage.js';
import { assertOutput, openArchiveOutput, outputFaults } from './archive-output.js';
import { imagesNames } from './setting-names.js';
import type { CommandRun } from './process-context.js';

export async function runImages(call: CommandRun): Promise<void> {
  const { processContext, flags, faults, context } = call;
  const read = readSettings(imagesNames, { ...processContext, flags });
  read.faults.unshift(...faults);
  const { values } = read;
  read.faults.push(...outputFaults(values));
  const wrapping = resolveWrapping(read, { opensInput: values.since.length > 0 });
  const way = await findWay(read, context.signal);
  rejectFaults(read.faults);
  if (!values.dryRun) await assertOutput(values, call);
  const prepared = await prepareWrapping(wrapping);
  const options: ImagesOptions = {
    ...way,
    ...(values.existingReplicaId !== undefined && { replicaId: values.existingReplicaId }),
    ...(values.dtrVersion !== undefined && { dtrVersion: values.dtrVersion }),
    connectWindowMs: values.connectTimeout,
    readTimeoutMs: values.readTimeout,
    since: values.since,
    keys: decryptionKeys(values),
    allowChanged: values.allowChanged,
    dryRun: values.dryRun,
    tool: processContext.tool,
  };
  await backUpImages(options, (about) => openArchiveOutput(values, about, prepared, call), context);
}

/** Through UCP, or, where the storage is mounted and the replica named, without. */
async function findWay(
  read: ReadSettings<(typeof imagesNames)[number]>,
  signal: AbortSignal,
): Promise<Pick<ImagesOptions, 'ucp' | 'mountedAt'>> {
  const { values, given, faults } = read;
  const isMounted = await isStorageMounted(values.registryPath, { timeoutMs: values.readTimeout, signal });
  if (given.has('registryPath') && !isMounted) {
    faults.push(`--registry-path (DTR_REGISTRY_PATH): ${values.registryPath} is no directory of this job`);
    return {};
  }
  const mounted = isMounted ? { mountedAt: values.registryPath } : {};
  if (isMounted && values.existingReplicaId !== undefined && !given.has('ucpUrl')) return mounted;
  const alternative = "the registry's volume mounted at /registry and --existing-replica-id, to go without UCP";
  const ucp = readCredentials(read, alternative);
  return { ...mounted, ...(ucp !== undefined && { ucp }) };
}
