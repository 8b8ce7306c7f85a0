/** The paths in an image archive, as IMAGES-FORMAT.md specifies them. */
import { posix } from 'node:path';

/** The root: the volume's directory below /var/lib/docker/volumes, where docker/dtr's documentation unpacks images. */
export function imageRoot(replicaId: string): string {
  return `dtr-registry-${replicaId}`;
}

/** The root in an entry's path; undefined where that is not of an image archive. */
export function imageRootOf(path: string): string | undefined {
  return /^(dtr-registry-[0-9a-f]{12})\//.exec(path)?.[1];
}

/** `path` is below the volume, without a slash at either end; that of the volume itself is empty. */
export function imagePath(root: string, path: string): string {
  return path === '' ? `${root}/_data` : `${root}/_data/${path}`;
}

/** The path below the volume, of an entry's path without a trailing slash; undefined outside the volume. */
export function pathInVolume(root: string, path: string): string | undefined {
  const volume = imagePath(root, '');
  if (path === volume) return '';
  return path.startsWith(`${volume}/`) ? path.slice(volume.length + 1) : undefined;
}

/** Beside `_data`: unpacked with the images, it does no harm. */
export function imageManifestPath(root: string): string {
  return `${root}/dtr-image-backup.json`;
}

/** Where a registry stores everything (distribution's filesystem driver). */
export const registryDirectory = 'docker/registry/v2';

const registryDirectories = ['docker', 'docker/registry', registryDirectory].concat(
  ['blobs', 'repositories'].map((name) => `${registryDirectory}/${name}`),
);

/** Whether a registry stores its images below this path, so that they are missing where it is not a directory. */
export function isRegistryDirectory(path: string): boolean {
  return registryDirectories.includes(path);
}

export function blobPath(digest: string): string {
  return `${registryDirectory}/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`;
}

/** The SHA-256 in a blob's path; undefined for another path. */
export function blobDigest(path: string): string | undefined {
  const digest = path.slice(-'/data'.length - 64, -'/data'.length);
  return /^[0-9a-f]{64}$/.test(digest) && path === blobPath(digest) ? digest : undefined;
}

/** The path of a blob as MSR stores it, by an id (public support tools of MSR read it there). */
export function blobIdPath(id: string): string {
  return `${registryDirectory}/blobs/id/${id.slice(0, 2)}/${id}/data`;
}

/** What a blob is stored under: the SHA-256 of its content, or an id, which only the metadata maps to a digest. */
export type BlobName =
  { readonly kind: 'digest'; readonly digest: string } | { readonly kind: 'id'; readonly id: string };

/** Undefined for a path that is not a blob's. */
export function blobName(path: string): BlobName | undefined {
  const digest = blobDigest(path);
  if (digest !== undefined) return { kind: 'digest', digest };
  if (!path.startsWith(`${registryDirectory}/blobs/id/`)) return undefined;
  const [id = ''] = path.split('/').slice(-2);
  return id !== '' && path === blobIdPath(id) ? { kind: 'id', id } : undefined;
}

/** What a file named `link` in a repository names. */
export interface LinkPlace {
  readonly repository: string;
  readonly tag?: string;
  /** In the name of its directory. */
  readonly digest?: string;
  /** Whether it names a manifest that is in use. Others name layers and earlier targets of tags: garbage collection leaves them. */
  readonly isManifest: boolean;
}

/** Undefined for a path that is not a link's, in distribution's layout. */
export function linkPlace(path: string): LinkPlace | undefined {
  if (!path.startsWith(`${registryDirectory}/repositories/`) || !path.endsWith('/link')) return undefined;
  const below = path.slice(`${registryDirectory}/repositories/`.length);
  const [, repository = '', rest = ''] = /^(.+?)\/((?:_layers|_manifests)\/.+)$/.exec(below) ?? [];
  const tag = /^_manifests\/tags\/([^/]+)\/current\/link$/.exec(rest)?.[1];
  if (tag !== undefined) return { repository, tag, isManifest: true };
  const [, kind, digest] =
    /^(_layers|_manifests\/revisions|_manifests\/tags\/[^/]+\/index)\/sha256\/([0-9a-f]{64})\/link$/.exec(rest) ?? [];
  if (kind === undefined || digest === undefined) return undefined;
  return { repository, digest, isManifest: kind === '_manifests/revisions' };
}

/** Whether a symbolic link in the registry leads out of the storage, and so of the archive. */
export function leadsOut(path: string, target: string): boolean {
  if (!path.startsWith(`${registryDirectory}/`)) return false;
  const reached = posix.join(posix.dirname(path), target);
  return target.startsWith('/') || reached === '..' || reached.startsWith('../');
}

/** Whether it belongs to a push in progress, whose files change all the time and are not part of an image yet. */
export function isUpload(path: string): boolean {
  return /(?:^|\/)_uploads(?:\/|$)/.test(path);
}
