/** Tars as Docker's archive calls make and take them: out of a directory under its own name, into it without. */
import { existsSync } from 'node:fs';
import { basename, posix } from 'node:path';
import { Readable } from 'node:stream';
import tarFs from 'tar-fs';
import { pack as packEntries } from 'tar-stream';
import { readTarEntries } from '../tar-entries.js';
import type { ClusterContainer, ClusterState, VolumeContent } from './cluster.js';

/** The tar for `path` in a container; undefined where nothing is mounted there. */
export function packPath(container: ClusterContainer, path: string): Readable | undefined {
  const mount = container.mounts.find((one) => one.path === posix.normalize(path).replace(/(.)\/$/, '$1'));
  return mount && packVolume(basename(mount.path), mount.content);
}

/** Whether something stands at `path`, in what is mounted at its beginning. */
export function hasPath(container: ClusterContainer, path: string): boolean {
  const mount = container.mounts.find((one) => path.startsWith(`${one.path}/`));
  if (mount === undefined) return false;
  const below = path.slice(mount.path.length + 1);
  if (isTar(mount.content)) return true;
  if (isDirectory(mount.content)) return existsSync(posix.join(mount.content.directory, below));
  return Object.keys(mount.content).some((name) => name.startsWith(`${below}/`));
}

/** Puts the files of a tar into what is mounted at `path`, for every container that has it; false where nothing is. */
export async function unpackInto(
  state: ClusterState,
  container: ClusterContainer,
  path: string,
  tar: Buffer,
): Promise<boolean> {
  const target = container.mounts.find((one) => one.path === path);
  if (target === undefined || isDirectory(target.content) || isTar(target.content)) return false;
  const content: Record<string, string | Buffer> = { ...target.content };
  for (const { header, body } of await readTarEntries(tar)) {
    content[header.name] = body;
    state.unpackedFiles.push({ path: posix.join(path, header.name), mode: header.mode, uid: header.uid });
  }
  for (const mount of state.containers.flatMap(({ mounts }) => mounts)) {
    if (mount === target || (mount.volume !== undefined && mount.volume === target.volume)) mount.content = content;
  }
  return true;
}

function packVolume(name: string, content: VolumeContent): Readable {
  if (isTar(content)) return Readable.from([content.tar()]);
  if (isDirectory(content)) {
    const map = <T extends { name: string }>(header: T): T => {
      header.name = posix.join(name, header.name);
      return header;
    };
    return Readable.from(tarFs.pack(content.directory, { map }));
  }
  const tar = packEntries();
  tar.entry({ name: `${name}/`, type: 'directory', mode: 0o755 });
  for (const directory of directoriesOf(content)) {
    tar.entry({ name: `${name}/${directory}/`, type: 'directory', mode: 0o755 });
  }
  for (const [path, body] of Object.entries(content)) {
    tar.entry({ name: `${name}/${path}`, mode: 0o600 }, body);
  }
  tar.finalize();
  // Its stream is one of streamx, not of Node.
  return Readable.from(tar);
}

function isTar(content: VolumeContent): content is { readonly tar: () => Buffer } {
  return 'tar' in content && typeof content.tar === 'function';
}

function isDirectory(content: VolumeContent): content is { readonly directory: string } {
  return 'directory' in content && typeof content.directory === 'string' && content.directory.startsWith('/');
}

function directoriesOf(files: Readonly<Record<string, string | Buffer>>): string[] {
  const directories = new Set<string>();
  for (const path of Object.keys(files)) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_part, index) => directories.add(parts.slice(0, index + 1).join('/')));
  }
  return [...directories].sort();
}
