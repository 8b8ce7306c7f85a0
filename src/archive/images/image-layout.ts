/** Where things lie in an image archive. The only place that spells it; IMAGES-FORMAT.md tells the same in words. */
import { posix } from 'node:path';

/** The one root: the volume's directory below /var/lib/docker/volumes, into which the vendor's documentation unpacks. */
export function imageRoot(replicaId: string): string {
  return `dtr-registry-${replicaId}`;
}

/** The root in the path of an image archive's entry; undefined where the path is of no image archive. */
export function imageRootOf(path: string): string | undefined {
  return /^(dtr-registry-[0-9a-f]{12})\//.exec(path)?.[1];
}

/** `path` is below the volume, without a slash at either end; that of the volume itself is empty. */
export function imagePath(root: string, path: string): string {
  return path === '' ? `${root}/_data` : `${root}/_data/${path}`;
}

/** The path below the volume, of an entry's path without a slash at its end; undefined where it lies elsewhere. */
export function pathInVolume(root: string, path: string): string | undefined {
  const volume = imagePath(root, '');
  if (path === volume) return '';
  return path.startsWith(`${volume}/`) ? path.slice(volume.length + 1) : undefined;
}

/** Beside `_data`, where nobody looks for images: unpacked with them, it does no harm. */
export function imageManifestPath(root: string): string {
  return `${root}/dtr-image-backup.json`;
}

/** Where a registry keeps everything (distribution's filesystem driver). */
export const registryDirectory = 'docker/registry/v2';

/** The directories without which there is no image, the storage's own first. */
const registryDirectories = ['docker', 'docker/registry', registryDirectory].concat(
  ['blobs', 'repositories'].map((name) => `${registryDirectory}/${name}`),
);

/** Whether a registry keeps its images below it, so that they are missing where it is no directory. */
export function isRegistryDirectory(path: string): boolean {
  return registryDirectories.includes(path);
}

/** Where the blob of this SHA-256 is. */
export function blobPath(digest: string): string {
  return `${registryDirectory}/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`;
}

/** The SHA-256 that a blob's name says its content has, as distribution lays blobs out; undefined for what is no blob. */
export function blobDigest(path: string): string | undefined {
  const digest = path.slice(-'/data'.length - 64, -'/data'.length);
  return /^[0-9a-f]{64}$/.test(digest) && path === blobPath(digest) ? digest : undefined;
}

/** Whether it is a blob as MSR stores it: under an id of its own, which only the metadata tie to a digest. */
export function isBlobById(path: string): boolean {
  return path.startsWith(`${registryDirectory}/blobs/id/`) && path.endsWith('/data');
}

/** What a file named `link` in a repository stands for. */
export interface LinkPlace {
  readonly repository: string;
  readonly tag?: string;
  /** Of the blob that its directory names. */
  readonly digest?: string;
  /**
   * Whether an image rests on it: a tag, or a manifest. The others name layers, and what tags pointed to before; garbage
   * collection takes the blobs and leaves them.
   */
  readonly isManifest: boolean;
}

/** Undefined for what is no link; as distribution lays repositories out. */
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

/** Whether a symbolic link leads to what is not in the archive: out of the storage, from anywhere in the registry. */
export function leadsOut(path: string, target: string): boolean {
  if (!path.startsWith(`${registryDirectory}/`)) return false;
  const reached = posix.join(posix.dirname(path), target);
  return target.startsWith('/') || reached === '..' || reached.startsWith('../');
}

/** Whether it belongs to a push in progress, where files come, grow and go all the time and no image is yet. */
export function isUpload(path: string): boolean {
  return /(?:^|\/)_uploads(?:\/|$)/.test(path);
}
