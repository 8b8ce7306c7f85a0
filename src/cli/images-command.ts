/** `images`: from the settings to the job. */
import { prepareWrapping } from '../archive/wrapping/wrapping.js';
import { readCredentials } from '../config/access.js';
import { readSettings, rejectFaults, type ReadSettings } from '../config/reader.js';
import { keyNames, namesOf, ucpNames, wrappingNames } from '../config/settings.js';
import { imagesSettings } from '../config/settings/images.js';
import { outputSettings } from '../config/settings/output.js';
import { decryptionKeys, resolveWrapping } from '../config/wrapping.js';
import type { ImagesOptions } from '../jobs/images.js';
import { assertOutput, openArchiveOutput, outputFaults } from './archive-output.js';
import type { Command, CommandRun } from './surroundings.js';

const settings = [
  ...ucpNames,
  ...(['existingReplicaId', 'dtrVersion', 'connectTimeout', 'readTimeout'] as const),
  ...namesOf(imagesSettings),
  ...namesOf(outputSettings),
  ...wrappingNames,
  ...keyNames,
  'dryRun',
] as const;

export const imagesCommand: Command = {
  name: 'images',
  help: 'write the image content of a DTR replica to stdout as one tar',
  settings,
  run: runImages,
};

/** What no other command loads: archiver takes a tenth of a second. */
const loadJob = () => import('../jobs/images.js');

async function runImages(call: CommandRun): Promise<void> {
  const { surroundings, flags, faults, world } = call;
  const read = readSettings(settings, { ...surroundings, flags });
  read.faults.unshift(...faults);
  const { values } = read;
  read.faults.push(...outputFaults(values));
  const { backUpImages } = await loadJob();
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
  read: ReadSettings<(typeof settings)[number]>,
  signal: AbortSignal,
): Promise<Pick<ImagesOptions, 'ucp' | 'mountedAt'>> {
  const { values, given, faults } = read;
  const isMounted = await (
    await loadJob()
  ).isStorageMounted(values.registryPath, { timeoutMs: values.readTimeout, signal });
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
