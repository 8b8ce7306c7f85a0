/** Where things lie in an image archive. The only place that spells it; IMAGES-FORMAT.md tells the same in words. */

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

/** The SHA-256 that a blob's name says its content has, as distribution lays blobs out; undefined for what is no blob. */
export function blobDigest(path: string): string | undefined {
  const [, start, digest] =
    /(?:^|\/)registry\/v2\/blobs\/sha256\/([0-9a-f]{2})\/([0-9a-f]{64})\/data$/.exec(path) ?? [];
  return digest?.slice(0, 2) === start ? digest : undefined;
}

/** Whether it belongs to a push in progress, where files come, grow and go all the time and no image is yet. */
export function isUpload(path: string): boolean {
  return /(?:^|\/)_uploads(?:\/|$)/.test(path);
}
