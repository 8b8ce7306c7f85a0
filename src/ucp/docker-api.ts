/** The Docker Engine API as UCP serves it, for the whole cluster: one method for each call the jobs need. */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import {
  containerSchema,
  containersSchema,
  networksSchema,
  volumeSchema,
  type InspectedContainer,
  type ListedContainer,
  type Network,
  type Volume,
} from './docker-schemas.js';
import type { UcpSession } from './session.js';

/**
 * Every method throws what UcpSession throws: exit code 3 or 4, or the signal's reason. Only calls that read, and
 * `writeArchive`, are tried again after a lost answer. Paths are those in a container, running or not, with its volumes.
 */
export class DockerApi {
  readonly #session: UcpSession;

  constructor(session: UcpSession) {
    this.#session = session;
  }

  /** All of them, stopped ones too. */
  async listContainers(signal?: AbortSignal): Promise<ListedContainer[]> {
    // Without Docker's name filter: how it handles UCP's node prefixes is not documented.
    const answer = await this.#session.ask({ method: 'GET', path: '/containers/json?all=1', signal });
    return answer.json(containersSchema);
  }

  /** Undefined where UCP knows no such container; `id` may be the first 12 digits. */
  inspectContainer(id: string, signal?: AbortSignal): Promise<InspectedContainer | undefined> {
    return this.#inspect(containerPath(id, 'json'), containerSchema, signal);
  }

  /**
   * A tar of what is at `path`; its entries begin with the last part of the path. Undefined where there is no such
   * container or path. The caller reads the stream to its end or destroys it. It fails with a JobError (exit code 4) when
   * it stalls or is cut short, but only the end blocks tell whether the tar itself is complete.
   */
  async readArchive(id: string, path: string): Promise<Readable | undefined> {
    const call = { method: 'GET', path: archivePath(id, path), accept: [404] } as const;
    const { status, body } = await this.#session.open(call);
    if (status !== 404) return body;
    body.destroy();
    return undefined;
  }

  async hasPath(id: string, path: string): Promise<boolean> {
    const call = { method: 'HEAD', path: archivePath(id, path), accept: [404] } as const;
    return (await this.#session.ask(call)).status !== 404;
  }

  /** Unpacks a tar into the directory `path`. A directory is not replaced by a file of the tar: the call fails. */
  async writeArchive(id: string, path: string, tar: Buffer): Promise<void> {
    const target = `${archivePath(id, path)}&noOverwriteDirNonDir=1`;
    await this.#session.ask({ method: 'PUT', path: target, tar, isHarmless: true });
  }

  /** Resolves when it has stopped, or had before; Docker kills it after `graceSeconds`. */
  async stopContainer(id: string, graceSeconds: number, signal?: AbortSignal): Promise<void> {
    const path = containerPath(id, `stop?t=${graceSeconds}`);
    const minTimeoutMs = (graceSeconds + 10) * 1000;
    await this.#session.ask({ method: 'POST', path, accept: [304], minTimeoutMs, signal });
  }

  /** Resolves when it has been started, or ran already. */
  async startContainer(id: string, signal?: AbortSignal): Promise<void> {
    await this.#session.ask({ method: 'POST', path: containerPath(id, 'start'), accept: [304], signal });
  }

  /** Undefined where there is no such volume. */
  inspectVolume(name: string): Promise<Volume | undefined> {
    return this.#inspect(`/volumes/${encodeURIComponent(name)}`, volumeSchema);
  }

  /** All of them; several may have one name. */
  async listNetworks(): Promise<Network[]> {
    return (await this.#session.ask({ method: 'GET', path: '/networks' })).json(networksSchema);
  }

  /** Throws with exit code 4 also where the engine forbids it: the network is not attachable, the container is on it. */
  async connectNetwork(network: string, containerId: string, signal?: AbortSignal): Promise<void> {
    const path = `/networks/${encodeURIComponent(network)}/connect`;
    await this.#session.ask({ method: 'POST', path, json: { Container: containerId }, engineForbids: true, signal });
  }

  async disconnectNetwork(network: string, containerId: string, signal?: AbortSignal): Promise<void> {
    const path = `/networks/${encodeURIComponent(network)}/disconnect`;
    await this.#session.ask({ method: 'POST', path, json: { Container: containerId }, engineForbids: true, signal });
  }

  async #inspect<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T | undefined> {
    const answer = await this.#session.ask({ method: 'GET', path, accept: [404], signal });
    return answer.status === 404 ? undefined : answer.json(schema);
  }
}

function containerPath(id: string, rest: string): string {
  return `/containers/${encodeURIComponent(id)}/${rest}`;
}

function archivePath(id: string, path: string): string {
  return containerPath(id, `archive?path=${encodeURIComponent(path)}`);
}
