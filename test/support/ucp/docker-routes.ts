/** The Docker Engine API of the UCP stand-in: containers, their archives, and networks. */
import { json, refusal, type StandInAnswer, type StandInRequest } from './answer.js';
import { hasPath, packPath, unpackInto } from './archives.js';
import { findContainer, type ClusterContainer, type ClusterState } from './cluster.js';

type Handler = (state: ClusterState, id: string, request: StandInRequest) => StandInAnswer | Promise<StandInAnswer>;

/** The first match counts; its group is the id or name of what is asked for. */
const routes: readonly (readonly [RegExp, Handler])[] = [
  [/^GET \/containers\/json$/, listContainers],
  [/^GET \/containers\/([^/]+)\/json$/, inspectContainer],
  [/^GET \/containers\/([^/]+)\/archive$/, readArchive],
  [/^HEAD \/containers\/([^/]+)\/archive$/, statArchive],
  [/^GET \/volumes\/([^/]+)$/, inspectVolume],
  [/^POST \/containers\/([^/]+)\/stop$/, stopContainer],
  [/^POST \/containers\/([^/]+)\/start$/, startContainer],
  [/^PUT \/containers\/([^/]+)\/archive$/, writeArchive],
  [/^GET \/networks$/, listNetworks],
  [/^POST \/networks\/([^/]+)\/connect$/, connectNetwork],
  [/^POST \/networks\/([^/]+)\/disconnect$/, disconnectNetwork],
];

export async function answerDocker(state: ClusterState, request: StandInRequest): Promise<StandInAnswer> {
  for (const [pattern, handler] of routes) {
    const match = pattern.exec(`${request.method} ${request.url.pathname}`);
    if (match === null) continue;
    const id = decodeURIComponent(match[1] ?? '');
    return refuseDownNode(state, id) ?? handler(state, id, request);
  }
  return refusal(404, 'page not found');
}

/** classicswarm's own errors are plain text (api/utils.go). */
function refuseDownNode(state: ClusterState, id: string): StandInAnswer | undefined {
  const container = state.containers.find((one) => one.id === id);
  if (container === undefined || !state.downNodes.has(container.node)) return undefined;
  const body = `Container ${id} running on unhealthy node ${container.node}\n`;
  return { status: 500, type: 'text/plain; charset=utf-8', body };
}

function listContainers(state: ClusterState, _id: string, { url }: StandInRequest): StandInAnswer {
  const all = url.searchParams.get('all') === '1';
  const shown = state.containers.filter((container) => container.unknownFor === 0);
  return json(
    200,
    shown
      .filter((container) => all || container.state === 'running')
      .map((container) => ({
        Id: container.id,
        Names: [nameOf(state, container)],
        Image: container.image,
        Labels: container.labels,
        ...(container.lacks !== 'State' && { State: container.state }),
        Status: state.downNodes.has(container.node) ? 'Host Down' : container.status,
      })),
  );
}

function inspectContainer(state: ClusterState, id: string): StandInAnswer {
  const container = findContainer(state, id);
  if (container === undefined) return refusal(404, `No such container: ${id}`);
  return json(200, {
    Id: container.id,
    Name: nameOf(state, container),
    State: { Status: container.state, Running: container.state === 'running' },
    Config: { Env: container.environment, Labels: container.labels, Image: container.image },
    Mounts: container.mounts.map(({ volume, path }) => ({
      Type: volume === undefined ? 'bind' : 'volume',
      ...(volume !== undefined && { Name: volume }),
      Source: volume === undefined ? `/srv${path}` : `/var/lib/docker/volumes/${volume}/_data`,
      Destination: path,
    })),
    NetworkSettings: networkSettingsOf(state, container),
  });
}

function networkSettingsOf(state: ClusterState, { networks, lacks }: ClusterContainer): object | null {
  if (lacks === 'NetworkSettings') return null;
  if (lacks === 'Networks') return { Networks: null };
  const endpointOf = (name: string): object | null =>
    lacks === 'endpoints' ? null : { NetworkID: state.networks.get(name) ?? '' };
  return { Networks: Object.fromEntries([...networks].map((name) => [name, endpointOf(name)])) };
}

function readArchive(state: ClusterState, id: string, { url }: StandInRequest): StandInAnswer {
  const container = findContainer(state, id);
  if (container === undefined) return refusal(404, `No such container: ${id}`);
  const path = url.searchParams.get('path') ?? '';
  const body = packPath(container, path);
  if (body === undefined) return refusal(404, `Could not find the file ${path} in container ${id}`);
  return { status: 200, type: 'application/x-tar', body };
}

function statArchive(state: ClusterState, id: string, { url }: StandInRequest): StandInAnswer {
  const container = findContainer(state, id);
  const isThere = container !== undefined && hasPath(container, url.searchParams.get('path') ?? '');
  return { status: isThere ? 200 : 404 };
}

function inspectVolume(state: ClusterState, name: string): StandInAnswer {
  const mount = state.containers.flatMap(({ mounts }) => mounts).find(({ volume }) => volume === name);
  if (mount === undefined) return refusal(404, `get ${name}: no such volume`);
  return json(200, { Name: name, Driver: 'local', Scope: 'local', Options: mount.options ?? null });
}

function stopContainer(state: ClusterState, id: string): StandInAnswer {
  const container = findContainer(state, id);
  if (container === undefined) return refusal(404, `No such container: ${id}`);
  if (!['running', 'restarting'].includes(container.state)) return { status: 304 };
  container.state = 'exited';
  container.status = 'Exited (0) 1 second ago';
  state.containerChanges.push({ what: 'stopped', container: container.name });
  return { status: 204 };
}

function startContainer(state: ClusterState, id: string): StandInAnswer {
  const container = findContainer(state, id);
  if (container === undefined) return refusal(404, `No such container: ${id}`);
  if (container.state === 'running') return { status: 304 };
  state.containerChanges.push({ what: 'started', container: container.name });
  if (!container.endsAtStart) {
    container.state = 'running';
    container.status = 'Up 1 second';
  }
  return { status: 204 };
}

async function writeArchive(state: ClusterState, id: string, { url, bytes }: StandInRequest): Promise<StandInAnswer> {
  const container = findContainer(state, id);
  if (container === undefined || bytes === undefined) return refusal(404, `No such container: ${id}`);
  const path = url.searchParams.get('path') ?? '';
  const isThere = await unpackInto(state, container, path, bytes);
  return isThere ? { status: 200 } : refusal(404, `Could not find the file ${path} in container ${id}`);
}

function listNetworks(state: ClusterState): StandInAnswer {
  const all = [...state.networks].map(([name, id]) => ({ name, id })).concat(state.namesakeNetworks);
  return json(
    200,
    all.map(({ name, id }) => ({
      Id: id,
      Name: name,
      Driver: name === 'bridge' ? 'bridge' : 'overlay',
      Attachable: true,
    })),
  );
}

function connectNetwork(state: ClusterState, name: string, { body }: StandInRequest): StandInAnswer {
  const container = containerIn(state, body);
  if (!state.networks.has(name)) return refusal(404, `network ${name} not found`);
  if (container === undefined) return refusal(404, 'No such container');
  if (state.unattachableNetworks.has(name)) {
    const why = `rpc error: code = PermissionDenied desc = network ${name} not manually attachable`;
    return refusal(403, `Could not attach to network ${name}: ${why}`);
  }
  if (container.networks.has(name)) {
    return refusal(403, `endpoint with name ${container.name} already exists in network ${name}`);
  }
  container.networks.add(name);
  state.networkChanges.push({ what: 'joined', network: name, containerId: container.id });
  return { status: 200 };
}

function disconnectNetwork(state: ClusterState, name: string, { body }: StandInRequest): StandInAnswer {
  const container = containerIn(state, body);
  if (!state.networks.has(name)) return refusal(404, `network ${name} not found`);
  if (container?.networks.delete(name) !== true) {
    return refusal(403, `container ${container?.id ?? ''} is not connected to network ${name}`);
  }
  state.networkChanges.push({ what: 'left', network: name, containerId: container.id });
  return { status: 200 };
}

function containerIn(state: ClusterState, body: string): ClusterContainer | undefined {
  const { Container: id } = JSON.parse(body) as { Container: string };
  return findContainer(state, id);
}

function nameOf(state: ClusterState, { node, name }: ClusterContainer): string {
  return state.namesCarryNodes ? `/${node}/${name}` : `/${name}`;
}
