/** `images`: from the settings to the job. */
import { prepareWrapping } from '../archive/wrapping/wrapping.js';
import { readCredentials } from '../config/access.js';
import { readSettings, rejectFaults, type ReadSettings } from '../config/reader.js';
import { decryptionKeys, resolveWrapping } from '../config/wrapping.js';
import { backUpImages, type ImagesOptions } from '../jobs/images.js';
import { isStorageMounted } from '../jobs/image-storage.js';
import { assertOutput, openArchiveOutput, outputFaults } from './archive-output.js';
import { imagesNames } from './setting-names.js';
import type { CommandRun } from './surroundings.js';

export async function runImages(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const read = readSettings(imagesNames, { ...surroundings, flags });
  read.faults.unshift(...faults);
  const { values } = read;
  read.faults.push(...outputFaults(values));
  const wrapping = resolveWrapping(read, { opensInput: values.since.length > 0 });
  const way = await findWay(read, world.signal);
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
    tool: surroundings.tool,
  };
  await backUpImages(options, (about) => openArchiveOutput(values, about, prepared, call), world);
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
