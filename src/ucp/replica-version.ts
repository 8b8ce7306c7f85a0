/** Detects which version of DTR a replica runs, by four signs, from the surest to the oldest. */
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { parseDtrVersion, type DtrVersion } from '../model/dtr-version.js';
import type { DockerApi } from './docker-api.js';
import { onNodeOf, type ReplicaContainer, type ReplicaContainers } from './replica-containers.js';

/**
 * Undefined where there is no sign of it. Throws what the Docker API throws, and a JobError with exit
 * code 5 where a sign shows several versions and RethinkDB's container none.
 */
export async function detectDtrVersion(docker: DockerApi, replica: ReplicaContainers): Promise<DtrVersion | undefined> {
  // RethinkDB's container first: it is the one that is read, and an upgrade that stopped half-way leaves two versions.
  return (
    versionBy(replica, ({ labels }) => versionFromLabels(labels)) ??
    (await versionFromRegistry(docker, replica)) ??
    versionBy(replica, ({ image }) => versionFromImage(image))
  );
}

/** `com.docker.dtr.version`, or the label of older ones: `Docker Trusted Registry <version> - (Replica <id>)`. */
export function versionFromLabels(labels: Readonly<Record<string, string>>): DtrVersion | undefined {
  const project = /^Docker Trusted Registry (\S+) - \(Replica [0-9a-f]{12}\)$/.exec(
    labels['com.docker.compose.project'] ?? '',
  );
  return parseDtrVersion(labels['com.docker.dtr.version'] ?? '') ?? parseDtrVersion(project?.[1] ?? '');
}

/** From `DTR_VERSION=…` among the variables of dtr-registry. */
export function versionFromEnvironment(environment: readonly string[]): DtrVersion | undefined {
  const name = 'DTR_VERSION=';
  return parseDtrVersion(environment.find((variable) => variable.startsWith(name))?.slice(name.length) ?? '');
}

/** From `docker/dtr-rethink:<version>`, with a registry's host and port before it or a digest behind it. */
export function versionFromImage(image: string): DtrVersion | undefined {
  const [reference = ''] = image.split('@');
  return parseDtrVersion(/^dtr-rethink:(.+)$/.exec(reference.split('/').at(-1) ?? '')?.[1] ?? '');
}

function versionBy(
  { id, rethinkdb, containers }: ReplicaContainers,
  versionOf: (container: ReplicaContainer) => DtrVersion | undefined,
): DtrVersion | undefined {
  const own = versionOf(rethinkdb);
  if (own !== undefined) return own;
  const [version, ...others] = new Set(containers.flatMap((container) => versionOf(container) ?? []));
  if (version === undefined || others.length === 0) return version;
  const versions = [version, ...others].join(', ');
  const message = `the containers of replica ${id} show several versions (${versions}): give --dtr-version`;
  throw new JobError(ExitCode.replica, message);
}

async function versionFromRegistry(docker: DockerApi, replica: ReplicaContainers): Promise<DtrVersion | undefined> {
  const registry = replica.containers.find(({ role }) => role === 'registry');
  if (registry === undefined) return undefined;
  const inspected = await onNodeOf(registry, docker.inspectContainer(registry.id));
  return versionFromEnvironment(inspected?.environment ?? []);
}
