/**
 * Small trees of files (certificates) as the tars that an engine makes of a directory and unpacks into one. All in
 * memory: nothing is ever unpacked to disk here. Files with several names and links within the tree become files.
 */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import { CertificatePaths } from '../entries/certificates.js';
import { limits as archiveLimits } from '../layout.js';
import { guardProgress } from '../../base/progress-guard.js';
import { ByteSource } from './byte-source.js';
import { encodeFileEntry, endBlocks, type FileEntry } from './file-entry.js';
import { resolveLink, type TreeNode } from './tree-links.js';
import { TarEntries, type TarEntry } from './tar-entries.js';
import { typeName } from './tar-header.js';
import { latestSeconds } from './ustar.js';

/** A replica's certificate volumes hold some dozens of files of a few kB; anything beyond this is no such volume. */
const limits = {
  bytes: archiveLimits.allCertificatesBytes,
  entries: 20_000,
  linkBytes: 4096,
  /** After the end of the tar. */
  restBytes: 1024 * 1024,
  /** The whole of it. */
  readMs: 5 * 60_000,
};

export interface FileOwnership {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface TreeFile {
  /** Below the directory that was asked for, without a leading slash. */
  readonly path: string;
  readonly body: Buffer;
  readonly ownership: FileOwnership;
}

/** What is there and is no file; `why` in words. */
export interface OddEntry {
  readonly path: string;
  readonly why: string;
}

export interface FileTree {
  /** By path: regular files, and what links to them within the tree. */
  readonly files: readonly TreeFile[];
  /** Symbolic links that are among the files, with the content of what they lead to. */
  readonly followed: readonly OddEntry[];
  /** What has no content of its own: links to directories or to nothing, devices, sockets. */
  readonly skipped: readonly OddEntry[];
  /** Links to what lies outside: there may be content, and it is not here. */
  readonly outside: readonly OddEntry[];
}

export interface FileTreeOptions {
  /** Where the directory lies in the container: what absolute links are resolved by. */
  readonly directory: string;
  /** What it is called in an archive (`ca`): part of the path that is limited there. */
  readonly volume: string;
  readonly monotonicMs: () => number;
}

/**
 * Reads all of it. The entries' first path component is the directory itself and is cut off. Throws a JobError with exit
 * code 5 for a name that cannot be kept, an Error when the tar is cut short, broken or beyond all limits. The stream is
 * consumed or destroyed.
 */
export async function readFileTree(tar: AsyncIterable<Buffer>, options: FileTreeOptions): Promise<FileTree> {
  const onStall = (): Error => new Error(`it was not read whole within ${limits.readMs / 60_000} minutes`);
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

/** A tar of files of this time, without the directories they lie in: those that are there stay as they are. */
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
  #entryCount = 0;

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
    for (let entry = await this.#tar.next(); entry !== undefined; entry = await this.#tar.next()) {
      this.#entryCount += 1;
      if (this.#entryCount > limits.entries) throw new Error(`more than ${limits.entries} entries`);
      await this.#take(entry);
    }
    const conflict = this.#paths.conflict();
    if (conflict !== undefined) throw unfit(conflict, 'is a file and has others below it');
    const endAt = this.#source.position;
    while (await this.#source.fill(1)) {
      this.#source.advance(this.#source.available);
      if (this.#source.position - endAt > limits.restBytes) throw new Error('its tar goes on after its end');
    }
  }

  async #take(entry: TarEntry): Promise<void> {
    const [first] = entry.path.split('/');
    if (first !== (this.#directoryName ??= first))
      throw broken(entry.path, 'lies elsewhere than the entries before it');
    const path = belowFirst(entry.path.replace(/\/$/, ''));
    if (path === '' && entry.kind === 'directory') return;
    const fault = this.#paths.add(`${this.#volume}/${path}`, entry.kind === 'directory');
    if (fault !== undefined) throw unfit(entry.path, fault);
    this.nodes.set(path, await this.#node(entry));
  }

  async #node(entry: TarEntry): Promise<TreeNode> {
    const { kind, type, bytes, mode, uid, gid, linkName } = entry;
    if (kind === 'directory') return { kind: 'directory' };
    if (Buffer.byteLength(linkName) > limits.linkBytes) throw unfit(entry.path, 'links to a path without end');
    if (type === '1') return this.#hardLink(entry);
    if (type === '2') return { kind: 'symlink', target: linkName };
    if (kind === 'other' && bytes > 0) throw unfit(entry.path, `is ${typeName(type)}`);
    if (kind === 'other') return { kind: 'other', what: typeName(type) };
    this.#count(bytes);
    const body = await this.#tar.body(entry);
    return { kind: 'file', body: Buffer.from(body ?? []), ownership: ownershipOf(entry, { mode, uid, gid }) };
  }

  /** The engine gives the first name of a file with its content, and every other one as a link to it. */
  #hardLink({ path, linkName }: TarEntry): TreeNode {
    const target = this.nodes.get(belowFirst(linkName));
    if (target === undefined || target.kind === 'directory')
      throw broken(path, `links to ${printable(linkName)}, which is not before it`);
    if (target.kind === 'file') this.#count(target.body.length);
    return target;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > limits.bytes) throw new Error(`more than ${limits.bytes} bytes of files`);
  }
}

function sortOut(nodes: ReadonlyMap<string, TreeNode>, directory: string): FileTree {
  const files: TreeFile[] = [];
  const followed: OddEntry[] = [];
  const skipped: OddEntry[] = [];
  const outside: OddEntry[] = [];
  let bytes = 0;
  for (const [path, node] of nodes) {
    if (node.kind === 'directory') continue;
    const found = node.kind === 'symlink' ? resolveLink(nodes, path, directory) : node;
    if (node.kind === 'other') skipped.push({ path, why: `is ${node.what}` });
    else if (found === 'outside') outside.push({ path, why: 'is a symbolic link to what lies outside of the volume' });
    else if (found === undefined || found.kind === 'other')
      skipped.push({ path, why: 'is a symbolic link to nothing' });
    else if (found.kind === 'directory') {
      skipped.push({ path, why: 'is a symbolic link to a directory of the volume, whose own files are kept' });
    } else {
      bytes += found.body.length;
      if (bytes > limits.bytes) throw new Error(`more than ${limits.bytes} bytes of files`);
      files.push({ path, body: found.body, ownership: found.ownership });
      if (node.kind === 'symlink') followed.push({ path, why: `is a symbolic link to ${node.target}` });
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, followed, skipped, outside };
}

function ownershipOf({ records }: TarEntry, { mode, uid, gid }: FileOwnership): FileOwnership {
  const owner = (key: 'uid' | 'gid', plain: number): number => {
    const value = Number(records.get(key) ?? plain);
    return Number.isSafeInteger(value) && value >= 0 ? value : 0;
  };
  return { mode: mode & 0o7777, uid: owner('uid', uid), gid: owner('gid', gid) };
}

function belowFirst(path: string): string {
  const slash = path.indexOf('/');
  return slash === -1 ? '' : path.slice(slash + 1);
}

function broken(path: string, fault: string): Error {
  return new Error(`its tar is broken: ${printable(path)} ${fault}`);
}

function unfit(path: string, fault: string): JobError {
  return new JobError(ExitCode.replica, `${printable(path)} ${fault}: a backup cannot keep it`);
}
