/** The Docker Engine API as UCP serves it, for the whole cluster: one method for each call the jobs need. */
import type { Readable } from 'node:stream';
import {
  parseContainer,
  parseContainerList,
  parseNetworkList,
  parseVolume,
  type InspectedContainer,
  type ListedContainer,
  type Network,
  type Volume,
} from './docker-shapes.js';
import type { UcpCall, UcpSession } from './session.js';

/** Every method throws what UcpSession throws: exit code 3 or 4, or the signal's reason. */
export class DockerApi {
  readonly #session: Pick<UcpSession, 'ask' | 'open'>;

  constructor(session: Pick<UcpSession, 'ask' | 'open'>) {
    this.#session = session;
  }

  /** All of them, stopped ones too. */
  async listContainers(signal?: AbortSignal): Promise<ListedContainer[]> {
    // Not narrowed by Docker's name filter: what it makes of UCP's node prefixes is not documented.
    const answer = await this.#session.ask({ method: 'GET', path: '/containers/json?all=1', ...withSignal(signal) });
    return answer.json(parseContainerList);
  }

  /** Undefined where UCP knows no such container; `id` may be the first 12 digits. */
  inspectContainer(id: string, signal?: AbortSignal): Promise<InspectedContainer | undefined> {
    return this.#inspect(containerPath(id, '/json'), parseContainer, signal);
  }

  /**
   * A tar of what stands at `path` in a container, running or not, mounted volumes included; its entries begin with
   * the last part of the path. Undefined where there is no such container or path. The caller reads the stream to its
   * end or destroys it; it fails with a JobError (exit code 4) when it stalls or is cut short, but whether the tar
   * itself is whole only its end blocks tell.
   */
  async readArchive(id: string, path: string): Promise<Readable | undefined> {
    const call = { method: 'GET', path: archivePath(id, path) } as const;
    const { status, body } = await this.#session.open({ ...call, accept: [404] });
    if (status !== 404) return body;
    body.destroy();
    return undefined;
  }

  /** Whether something stands at `path` in a container, running or not, mounted volumes included. */
  async hasPath(id: string, path: string): Promise<boolean> {
    const call = { method: 'HEAD', path: archivePath(id, path) } as const;
    return (await this.#session.ask({ ...call, accept: [404] })).status !== 404;
  }

  /**
   * Unpacks a tar into the directory `path` of a container, running or not, mounted volumes included. A directory that
   * stands where the tar has a file is left alone, and the call fails.
   */
  async writeArchive(id: string, path: string, tar: Buffer): Promise<void> {
    const query = `path=${encodeURIComponent(path)}&noOverwriteDirNonDir=1`;
    await this.#session.ask({ method: 'PUT', path: containerPath(id, `/archive?${query}`), tar, isHarmless: true });
  }

  /**
   * Resolves when it does not run any more, or did not before; Docker kills it after `graceSeconds`. Never tried again by
   * itself, though a second call does no harm.
   */
  async stopContainer(id: string, graceSeconds: number, signal?: AbortSignal): Promise<void> {
    const path = containerPath(id, `/stop?t=${graceSeconds}`);
    await this.#session.ask({ method: 'POST', path, accept: [304], ...withSignal(signal) });
  }

  /** Resolves when it has been started, or ran already. Never tried again by itself, as `stopContainer`. */
  async startContainer(id: string, signal?: AbortSignal): Promise<void> {
    await this.#session.ask({
      method: 'POST',
      path: containerPath(id, '/start'),
      accept: [304],
      ...withSignal(signal),
    });
  }

  /** Undefined where there is no such volume. */
  inspectVolume(name: string): Promise<Volume | undefined> {
    return this.#inspect(`/volumes/${encodeURIComponent(name)}`, parseVolume);
  }

  /** All of them; several may have one name. */
  async listNetworks(): Promise<Network[]> {
    return (await this.#session.ask({ method: 'GET', path: '/networks' })).json(parseNetworkList);
  }

  /** Never tried again by itself: after a lost answer look whether the container is connected. */
  async connectNetwork(network: string, containerId: string): Promise<void> {
    const path = networkPath(network, '/connect');
    await this.#session.ask({ method: 'POST', path, json: { Container: containerId } });
  }

  /** Never tried again by itself, as `connectNetwork`. */
  async disconnectNetwork(network: string, containerId: string, signal?: AbortSignal): Promise<void> {
    const path = networkPath(network, '/disconnect');
    await this.#session.ask({ method: 'POST', path, json: { Container: containerId }, ...withSignal(signal) });
  }

  async #inspect<T>(path: string, parse: (value: unknown) => T, signal?: AbortSignal): Promise<T | undefined> {
    const answer = await this.#session.ask({ method: 'GET', path, accept: [404], ...withSignal(signal) });
    return answer.status === 404 ? undefined : answer.json(parse);
  }
}

function containerPath(id: string, rest: string): string {
  return `/containers/${encodeURIComponent(id)}${rest}`;
}

function archivePath(id: string, path: string): string {
  return containerPath(id, `/archive?path=${encodeURIComponent(path)}`);
}

function networkPath(name: string, rest: string): string {
  return `/networks/${encodeURIComponent(name)}${rest}`;
}

function withSignal(signal: AbortSignal | undefined): Pick<UcpCall, 'signal'> {
  return signal === undefined ? {} : { signal };
}
