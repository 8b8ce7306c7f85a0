/** What `inspect` shows of an image archive. */
import type { ImageVerdict } from '../archive/images/image-verifier.js';
import { formatBytes, formatCount } from '../base/format.js';
import { printable } from '../base/printable.js';
import type { Listed } from '../model/image-manifest.js';
import { duration } from './columns.js';

/** In the order of the report. */
export function imageSections(verdict: ImageVerdict): string[][][] {
  const { root, manifest, files, blobs, blobsById, references, findings } = verdict;
  return [
    [
      ['archive', `${root}/_data/`],
      ...about(manifest),
      ['files', `${formatCount(files.count)}, ${formatBytes(files.bytes)}`],
      ['of them blobs', `${formatCount(blobs.count)}, ${formatBytes(blobs.bytes)}`],
      ...(blobsById.count === 0
        ? []
        : [['of them by id', `${formatCount(blobsById.count)}, ${formatBytes(blobsById.bytes)}`]]),
    ],
    manifest === undefined ? [] : [...heldBefore(manifest), ...list('corrupt blob', manifest.corrupt)],
    [
      ...list('missing', references.missing),
      ...counted('stale links', references.stale, 'blobs that no image needs'),
      ...counted('not compared', references.uncompared, 'blobs that are stored under other names than their digests'),
    ],
    manifest === undefined ? [] : [...list('changed', manifest.changed), ...list('left out', manifest.leftOut)],
    findings.map(({ entry, reason }) => ['finding', entry === undefined ? reason : `${entry}: ${reason}`]),
  ];
}

type Manifest = NonNullable<ImageVerdict['manifest']>;

function about(manifest: Manifest | undefined): string[][] {
  if (manifest === undefined) return [['manifest', 'none: it is not whole']];
  const { replicaId, dtrVersion, storage, tool, directories, links } = manifest;
  return [
    ['DTR version', dtrVersion ?? 'unknown'],
    ['replica', replicaId],
    ['storage', storage],
    ['started', `${manifest.startedAt}, took ${duration(manifest)}`],
    ['made by', `${tool.name} ${tool.version}`],
    ['directories', formatCount(directories)],
    ['links', formatCount(links)],
  ];
}

function heldBefore({ since, heldBefore: { count, bytes } }: Manifest): string[][] {
  const earlier = since.map(({ startedAt, checksum }) => ['since', `the archive of ${startedAt}, ${checksum}`]);
  return since.length === 0 ? [] : [...earlier, ['held there', `${formatCount(count)} blobs, ${formatBytes(bytes)}`]];
}

function counted(name: string, count: number, what: string): string[][] {
  return count === 0 ? [] : [[name, `${formatCount(count)} ${what}`]];
}

function list(name: string, { count, first }: Listed): string[][] {
  const rows = first.map(({ path, why }) => [name, `${printable(path)}: ${why}`]);
  return count > first.length ? [...rows, [name, `and ${formatCount(count - first.length)} more`]] : rows;
}
