/** Image archives as a test looks at them, with eyes of its own (tar-stream), and ones made with our own writer. */
import { Readable } from 'node:stream';
import { imageRoot } from '#src/archive/images/image-layout.js';
import { verifyImages, type ImageVerdict } from '#src/archive/images/image-verifier.js';
import { ImageArchiveWriter } from '#src/archive/images/image-writer.js';
import { walkMountedStorage } from '#src/archive/images/mounted-storage.js';
import type { ImageManifest } from '#src/model/image-manifest.js';
import { collectOutput } from './collected-output.js';
import { readTarEntries } from './tar-entries.js';

export const sampleReplica = '0a1b2c3d4e5f';
export const sampleImageRoot = imageRoot(sampleReplica);

export interface CheckedImages {
  readonly manifest: ImageManifest;
  /** By path below the volume. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly names: readonly string[];
}

/** Throws when the archive does not end in its manifest and two zero blocks. */
export async function checkImages(tar: Buffer): Promise<CheckedImages> {
  if (tar.length < 2048 || tar.subarray(-1024).some((byte) => byte !== 0)) throw new Error('no end blocks');
  const entries = await readTarEntries(tar);
  const names = entries.map(({ header }) => header.name);
  const [root = ''] = names[0]?.split('/') ?? [];
  if (names.at(-1) !== `${root}/dtr-image-backup.json`)
    throw new Error(`the last entry is ${names.at(-1) ?? 'missing'}`);
  const manifest = JSON.parse(entries.at(-1)?.body.toString('utf8') ?? '') as ImageManifest;
  const inVolume = entries.filter(({ header }) => header.type === 'file' && header.name.startsWith(`${root}/_data/`));
  const files = new Map(inVolume.map(({ header, body }) => [header.name.slice(`${root}/_data/`.length), body]));
  return { manifest, files, names };
}

/** The archive of a directory; `alter` changes the manifest before it is written, and so checksummed. */
export async function archiveDirectory(
  directory: string,
  alter: (manifest: ImageManifest) => ImageManifest = (manifest) => manifest,
): Promise<Buffer> {
  const output = collectOutput();
  const writer = new ImageArchiveWriter(output, sampleImageRoot);
  for (const item of walkMountedStorage(directory)) {
    if (item.kind === 'entry') await writer.add(item.entry, item.body);
  }
  const nothing = { count: 0, first: [] };
  const startedAt = new Date('2030-01-01T00:00:00.250Z');
  const { references } = writer.references(startedAt);
  await writer.finish((checksums) =>
    alter({
      ...{ kind: 'images', formatVersion: 1, tool: { name: 'test', version: '0' }, replicaId: sampleReplica },
      ...{ storage: 'a test', startedAt: startedAt.toISOString(), finishedAt: startedAt.toISOString() },
      ...checksums,
      references,
      ...{ changed: nothing, leftOut: nothing, since: [], heldBefore: { count: 0, bytes: 0 } },
    }),
  );
  return output.bytes();
}

/** What is said of these bytes, coming in chunks of this size. */
export function verifyImageBytes(archive: Buffer, chunkBytes = 65_536): Promise<ImageVerdict> {
  const chunks = function* (): Generator<Buffer> {
    for (let at = 0; at < archive.length; at += chunkBytes) yield archive.subarray(at, at + chunkBytes);
  };
  return verifyImages(Readable.from(chunks()) as AsyncIterable<Buffer>, sampleImageRoot);
}
