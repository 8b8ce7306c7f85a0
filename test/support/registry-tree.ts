/** A registry's storage as distribution's filesystem driver lays it out, with whatever a file system can hold besides. */
import { createHash, randomFillSync } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export interface RegistryTreeOptions {
  readonly smallBlobs: number;
  readonly largeBlobBytes: number;
}

export interface RegistryTree {
  /** Of the large blob. */
  readonly largeDigest: string;
  /** Below the storage. */
  readonly blobPath: (digest: string) => string;
  /** All of them, the large one first. */
  readonly digests: readonly string[];
}

const registry = 'docker/registry/v2';

/** Fills a directory; as root, with owners. Twice two files for each small blob: the blob and a link to it. */
export function fillRegistryTree(storage: string, { smallBlobs, largeBlobBytes }: RegistryTreeOptions): RegistryTree {
  const digests = [addBlob(storage, randomFillSync(Buffer.alloc(largeBlobBytes)))];
  for (let index = 0; index < smallBlobs; index += 1) {
    const digest = addBlob(storage, Buffer.from(`{"layer":${index}}`));
    const layers = `${registry}/repositories/admin/app${index % 20}/_layers/sha256`;
    write(storage, `${layers}/${digest}/link`, `sha256:${digest}`);
    digests.push(digest);
  }
  addOddFiles(storage);
  return { largeDigest: digests[0] ?? '', digests, blobPath };
}

export interface RegistryImage {
  readonly manifest: string;
  readonly config: string;
  readonly layer: string;
  /** Below the storage. */
  readonly tagLink: string;
}

/** An image `repository:tag` as a push leaves it; the digests of its three blobs. */
export function addImage(storage: string, repository: string, tag: string): RegistryImage {
  const config = addBlob(storage, Buffer.from(`{"os":"linux","of":"${repository}:${tag}"}`));
  const layer = addBlob(storage, Buffer.from(`layer of ${repository}:${tag} `.repeat(100)));
  const descriptor = (digest: string): object => ({ digest: `sha256:${digest}` });
  const body = JSON.stringify({ schemaVersion: 2, config: descriptor(config), layers: [descriptor(layer)] }, null, 3);
  const manifest = addBlob(storage, Buffer.from(body));
  const base = `${registry}/repositories/${repository}`;
  const tagLink = `${base}/_manifests/tags/${tag}/current/link`;
  for (const digest of [config, layer]) write(storage, `${base}/_layers/sha256/${digest}/link`, `sha256:${digest}`);
  for (const path of [tagLink, `${base}/_manifests/revisions/sha256/${manifest}/link`])
    write(storage, path, `sha256:${manifest}`);
  return { manifest, config, layer, tagLink };
}

export function addBlob(storage: string, content: Buffer): string {
  const digest = createHash('sha256').update(content).digest('hex');
  write(storage, blobPath(digest), content);
  return digest;
}

/** As MSR stores a blob; gives its digest. */
export function addBlobById(storage: string, id: string, content: Buffer): string {
  write(storage, blobIdPath(id), content);
  return createHash('sha256').update(content).digest('hex');
}

export function blobIdPath(id: string): string {
  return `${registry}/blobs/id/${id.slice(0, 2)}/${id}/data`;
}

export function blobPath(digest: string): string {
  return `${registry}/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`;
}

/** What registries seldom hold and file systems may: links, owners, modes, times and names of every kind. */
export function addOddFiles(storage: string): void {
  const odd = `${registry}/repositories/odd`;
  write(storage, `${odd}/${'n'.repeat(200)}/${'m'.repeat(150)}`, 'long');
  write(storage, `${odd}/schlüssel "und" ☃`, 'named');
  write(storage, `${odd}/two\nlines`, 'named');
  write(storage, `${odd}/empty`, '');
  write(storage, `${odd}/owned`, 'owned');
  chmodSync(join(storage, odd, 'owned'), 0o4750);
  if (process.getuid?.() === 0) chownSync(join(storage, odd, 'owned'), 300_000, 12);
  linkSync(join(storage, odd, 'owned'), join(storage, odd, 'twin'));
  symlinkSync('../../no/such/place', join(storage, odd, 'dangling'));
  symlinkSync(`/${'t'.repeat(180)}`, join(storage, 'far'));
  lutimesSync(join(storage, 'far'), 1e9, 1e9);
  utimesSync(join(storage, odd, 'empty'), 1e9, 1_000_000_000.5);
  utimesSync(join(storage, odd, 'owned'), 1e9, 5e9);
  mkdirSync(join(storage, odd, 'private'), { mode: 0o700 });
  utimesSync(join(storage, odd, 'private'), 1e9, 12_345);
}

function write(storage: string, path: string, content: string | Buffer): void {
  const file = join(storage, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content, { mode: 0o640 });
}
