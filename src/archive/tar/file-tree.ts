/**
 * A directory of a container as Docker's engine packs it, read into memory with its links resolved, and files packed for
 * the engine to unpack.
 */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import { CertificatePaths } from '../entries/certificates.js';
import { limits as archiveLimits } from '../layout.js';
import { guardProgress } from '../../base/progress-guard.js';
import { ByteSource } from './byte-source.js';
import { encodeFileEntry, endBlocks, type FileEntry } from './file-entry.js';
import { TarEntries, type TarEntry } from './tar-entries.js';
import { typeName } from './tar-header.js';
import { latestSeconds } from './ustar.js';

/** A replica's certificate volumes hold some dozens of files of a few kB. */
const limits = {
  bytes: archiveLimits.allCertificatesBytes,
  ...{ entries: 20_000, linkBytes: 4096, trailingBytes: 1024 * 1024 },
  readMs: 5 * 60_000,
  /** Followed on one path, as many as Linux follows. */
  links: 40,
};

export interface FileOwnership {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

interface TreeFile {
  /** Below the directory, without a leading slash. */
  readonly path: string;
  readonly body: Buffer;
  readonly ownership: FileOwnership;
}

interface OddEntry {
  readonly path: string;
  /** In words that follow the path. */
  readonly why: string;
}

export interface FileTree {
  /** By path: regular files, and links to them within the tree. */
  readonly files: readonly TreeFile[];
  /** The symbolic links among the files, which have the content of their targets. */
  readonly followed: readonly OddEntry[];
  /** Entries without content of their own: links to directories or to nothing, devices, sockets. */
  readonly skipped: readonly OddEntry[];
  /** Links out of the tree, whose content is missing. */
  readonly outside: readonly OddEntry[];
}

interface FileTreeOptions {
  /** The directory's path in the container, for absolute links. */
  readonly directory: string;
  /** Its name in an archive (`ca`), where it is part of the path, whose length is limited. */
  readonly volume: string;
  readonly monotonicMs: () => number;
}

/**
 * Reads all of it; the first component of each path is the directory itself, and is removed. Throws a JobError with exit
 * code 5 for what an archive cannot hold, an Error for a tar that is cut short, broken or beyond the limits. Closes the
 * stream.
 */
export async function readFileTree(tar: AsyncIterable<Buffer>, options: FileTreeOptions): Promise<FileTree> {
  const onStall = (): Error => new Error(`it was not read completely within ${limits.readMs / 60_000} minutes`);
  const guard = { windowMs: limits.readMs, progress: () => 0, monotonicMs: options.monotonicMs, onStall };
  const source = new ByteSource(guardProgress(tar, guard));
  const reading = new TreeReading(source, options.volume);
  try {
    await reading.read();
  } finally {
    await source.close();
  }
  return sortOut(reading.nodes, options.directory);
}

/** A tar of files with this time, without their directories: existing ones stay unchanged. */
export function packFiles(files: readonly Omit<FileEntry, 'mtimeSeconds'>[], date: Date): Buffer {
  const mtimeSeconds = Math.min(Math.max(0, Math.floor(date.getTime() / 1000)), latestSeconds);
  return Buffer.concat([...files.map((file) => encodeFileEntry({ ...file, mtimeSeconds })), endBlocks]);
}

class TreeReading {
  readonly #source: ByteSource;
  readonly #volume: string;
  readonly #tar: TarEntries;
  readonly nodes = new Map<string, TreeNode>();
  readonly #paths = new CertificatePaths();
  #directoryName: string | undefined;
  #bytes = 0;

  constructor(source: ByteSource, volume: string) {
    this.#source = source;
    this.#volume = volume;
    this.#tar = new TarEntries(source, {
      add: (entry, reason) => {
        throw broken(entry ?? 'it', reason);
      },
    });
  }

  async read(): Promise<void> {
    let count = 0;
    for (let entry = await this.#tar.next(); entry !== undefined; entry = await this.#tar.next()) {
      if ((count += 1) > limits.entries) throw new Error(`more than ${limits.entries} entries`);
      await this.#take(entry);
    }
    const conflict = this.#paths.conflict();
    if (conflict !== undefined) throw unfit(conflict, 'is a file and has others below it');
    const { trailingBytes } = limits;
    if ((await this.#source.drain(trailingBytes)) > trailingBytes) throw new Error('its tar has trailing bytes');
  }

  async #take(entry: TarEntry): Promise<void> {
    const [first] = entry.path.split('/');
    if (first !== (this.#directoryName ??= first))
      throw broken(entry.path, 'is outside the directory of the entries before it');
    const path = belowFirst(entry.path.replace(/\/$/, ''));
    if (path === '' && entry.kind === 'directory') return;
    const fault = this.#paths.add(`${this.#volume}/${path}`, entry.kind === 'directory');
    if (fault !== undefined) throw unfit(entry.path, fault);
    this.nodes.set(path, await this.#node(entry));
  }

  async #node(entry: TarEntry): Promise<TreeNode> {
    const { kind, type, bytes, linkName } = entry;
    if (kind === 'directory') return { kind: 'directory' };
    if (Buffer.byteLength(linkName) > limits.linkBytes)
      throw unfit(entry.path, `links to a path of more than ${limits.linkBytes} bytes`);
    if (type === '1') return this.#hardLink(entry);
    if (type === '2') return { kind: 'symlink', target: linkName };
    if (kind === 'other' && bytes > 0) throw unfit(entry.path, `is ${typeName(type)}`);
    if (kind === 'other') return { kind: 'other', what: typeName(type) };
    this.#count(bytes);
    const body = Buffer.from((await this.#tar.body(entry)) ?? []);
    return { kind: 'file', body, ownership: ownershipOf(entry) };
  }

  /** The engine packs the first name of a file with its content, and the others as links to it. */
  #hardLink({ path, linkName }: TarEntry): TreeNode {
    const target = this.nodes.get(belowFirst(linkName));
    if (target === undefined || target.kind === 'directory')
      throw broken(path, `links to ${printable(linkName)}, which does not precede it`);
    if (target.kind === 'file') this.#count(target.body.length);
    return target;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > limits.bytes) throw new Error(`more than ${limits.bytes} bytes of files`);
  }
}

type TreeNode =
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly body: Buffer; readonly ownership: FileOwnership }
  | { readonly kind: 'symlink'; readonly target: string }
  /** `what` it is, in words. */
  | { readonly kind: 'other'; readonly what: string };

function sortOut(nodes: ReadonlyMap<string, TreeNode>, directory: string): FileTree {
  const files: TreeFile[] = [];
  const followed: OddEntry[] = [];
  const skipped: OddEntry[] = [];
  const outside: OddEntry[] = [];
  let bytes = 0;
  for (const [path, node] of nodes) {
    if (node.kind === 'directory') continue;
    const found = node.kind === 'symlink' ? followLink(nodes, path, directory) : node;
    if (found.kind === 'file') {
      bytes += found.body.length;
      if (bytes > limits.bytes) throw new Error(`more than ${limits.bytes} bytes of files`);
      files.push({ path, body: found.body, ownership: found.ownership });
      if (node.kind === 'symlink') followed.push({ path, why: `is a symbolic link to ${node.target}` });
    } else if (node.kind === 'other') skipped.push({ path, why: `is ${node.what}` });
    else if (found.kind === 'outside') outside.push({ path, why: 'is a symbolic link out of the volume' });
    else {
      const what = found.kind === 'directory' ? 'a directory of the volume, whose own files are kept' : 'nothing';
      skipped.push({ path, why: `is a symbolic link to ${what}` });
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, followed, skipped, outside };
}

type LinkTarget =
  | Exclude<TreeNode, { kind: 'symlink' }>
  | { readonly kind: 'nothing' }
  /** Out of the tree. */
  | { readonly kind: 'outside' };

/** What the kernel would find at `path` where the tree is at `directory`. */
function followLink(nodes: ReadonlyMap<string, TreeNode>, path: string, directory: string): LinkTarget {
  const root = directory.split('/').filter((part) => part !== '');
  const at: string[] = [];
  const left = path.split('/');
  let linkCount = 0;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (at.pop() === undefined) return { kind: 'outside' };
      continue;
    }
    const node = nodes.get([...at, name].join('/'));
    if (node?.kind !== 'symlink') {
      if (node === undefined || (node.kind !== 'directory' && left.length > 0)) return { kind: 'nothing' };
      if (node.kind !== 'directory') return node;
      at.push(name);
      continue;
    }
    linkCount += 1;
    if (linkCount > limits.links) return { kind: 'nothing' };
    const names = node.target.split('/');
    if (node.target.startsWith('/')) {
      const absolute = names.filter((part) => part !== '' && part !== '.');
      if (!root.every((part, index) => part === absolute[index])) return { kind: 'outside' };
      at.length = 0;
      left.unshift(...absolute.slice(root.length));
    } else left.unshift(...names);
  }
  return { kind: 'directory' };
}

function ownershipOf({ records, mode, uid, gid }: TarEntry): FileOwnership {
  const owner = (key: 'uid' | 'gid', plain: number): number => {
    const value = Number(records.get(key) ?? plain);
    return Number.isSafeInteger(value) && value >= 0 ? value : 0;
  };
  return { mode: mode & 0o7777, uid: owner('uid', uid), gid: owner('gid', gid) };
}

/** A path without its first component; empty for that alone. */
export function belowFirst(path: string): string {
  const slash = path.indexOf('/');
  return slash === -1 ? '' : path.slice(slash + 1);
}

function broken(path: string, fault: string): Error {
  return new Error(`its tar is broken: ${printable(path)} ${fault}`);
}

function unfit(path: string, fault: string): JobError {
  return new JobError(ExitCode.replica, `${printable(path)} ${fault}: a backup cannot keep it`);
}
