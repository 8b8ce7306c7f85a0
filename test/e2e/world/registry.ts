/** A client of a registry's HTTP API v2: what a push is made of. The storage is the registry's own work. */
import { createHash } from 'node:crypto';

interface Descriptor {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: string;
}

const docker = 'application/vnd.docker';
const manifestType = `${docker}.distribution.manifest.v2+json`;

export class Registry {
  readonly #url: string;

  /** `url` without a path. */
  constructor(url: string) {
    this.#url = url;
  }

  /** The registry takes the layers as they are. */
  async pushImage(repository: string, tag: string, layers: readonly Buffer[]): Promise<void> {
    const descriptors: Descriptor[] = [];
    for (const layer of layers)
      descriptors.push(await this.#pushBlob(repository, `${docker}.image.rootfs.diff.tar.gzip`, layer));
    const config = await this.#pushBlob(
      repository,
      `${docker}.container.image.v1+json`,
      Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', comment: repository })),
    );
    const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: descriptors };
    await this.#call('PUT', `${this.#url}/v2/${repository}/manifests/${tag}`, JSON.stringify(manifest), manifestType);
  }

  /** Begins a push, and sends a piece of it as long as `next` gives one; it is never ended. */
  async pushWithoutEnd(repository: string, next: () => Promise<Buffer | undefined>): Promise<void> {
    let location = await this.#beginUpload(repository);
    for (let piece = await next(); piece !== undefined; piece = await next())
      location = await this.#call('PATCH', location, piece);
  }

  async #pushBlob(repository: string, mediaType: string, content: Buffer): Promise<Descriptor> {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const location = new URL(await this.#beginUpload(repository));
    location.searchParams.set('digest', digest);
    await this.#call('PUT', location.href, content);
    return { mediaType, size: content.length, digest };
  }

  async #beginUpload(repository: string): Promise<string> {
    return this.#call('POST', `${this.#url}/v2/${repository}/blobs/uploads/`);
  }

  /** Gives where the answer points; throws where the registry refuses. */
  async #call(
    method: string,
    url: string,
    body: string | Buffer = '',
    type = 'application/octet-stream',
  ): Promise<string> {
    const answer = await fetch(url, { method, body, headers: { 'content-type': type } });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${said}`);
    return answer.headers.get('location') ?? '';
  }
}
