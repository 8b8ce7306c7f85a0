/**
 * The entries of a tar, one after the other, their names resolved (ustar, PAX, GNU long names) and nothing between
 * them left unlooked at: padding is zero, extensions are well formed, two zero blocks end it. tar-stream is of no use
 * here: it takes a tar cut between two entries for a whole one, and passes over padding and zero blocks unseen.
 */
import type { ByteSource } from './byte-source.js';
import type { FindingSink } from './findings.js';
import { parsePax } from './pax.js';
import { printable } from '../model/finding.js';
import { decodeUtf8, isZeroBlock, parseTarHeader, type TarHeader } from './tar-header.js';
import { blockBytes, paddingBytes } from './ustar.js';

export interface TarEntry {
  /** As the archive has it: not to be trusted. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'other';
  /** Of the body. */
  readonly bytes: number;
  readonly mtimeSeconds: number;
  /** Whether the header has the values that our writer gives to it. */
  readonly isOwn: boolean;
  /** Whether an extended header says something of it. */
  readonly isExtended: boolean;
}

/** What an extended header may hold; file names are at most 4096 bytes long on Linux. */
const mostExtensionBytes = 64 * 1024;

const zeros = Buffer.alloc(blockBytes);

/** What type flags mean that stand for no file and no directory. */
const otherTypes: Readonly<Record<string, string>> = {
  1: 'a hard link',
  2: 'a symbolic link',
  3: 'a character device',
  4: 'a block device',
  6: 'a FIFO',
  S: 'a sparse file',
};

/** What an extended header says of the entry that follows it. */
interface Extension {
  readonly path?: string;
  readonly bytes?: number;
  readonly mtimeSeconds: number;
  readonly isOwn: boolean;
}

export class TarEntries {
  readonly #source: ByteSource;
  readonly #findings: FindingSink;
  #isBroken = false;

  constructor(source: ByteSource, findings: FindingSink) {
    this.#source = source;
    this.#findings = findings;
  }

  /**
   * The next entry; its body must be taken with `body` or `skip` before the next call. Undefined after the end blocks,
   * and when the tar cannot be read on, which is a finding then and shows in `isBroken`.
   */
  async next(): Promise<TarEntry | undefined> {
    let extension: Extension | undefined;
    while (!this.#isBroken) {
      const header = await this.#header();
      if (header === undefined) return undefined;
      if (!isExtension(header)) return this.#entry(header, extension);
      const more = await this.#extension(header);
      // One entry may have several: GNU tar writes one for the name and one for the link's target.
      extension = extension === undefined || more === undefined ? more : { ...extension, ...more, isOwn: false };
    }
    return undefined;
  }

  /** Whether reading stopped before the end blocks. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The whole body; good until anything else is read. Undefined when the tar is cut in it. */
  async body({ path, bytes }: TarEntry): Promise<Buffer | undefined> {
    const padding = paddingBytes(bytes);
    if (!(await this.#source.fill(bytes + padding))) {
      this.stop(`ends in the middle of ${printable(path)}: it is cut short`);
      return undefined;
    }
    const body = this.#source.take(bytes);
    if (!isZeroPadding(this.#source.buffer, this.#source.offset, padding))
      this.#findings.add(path, 'is followed by padding that is not zero');
    this.#source.advance(padding);
    return body;
  }

  /** Passes over the body without holding it. */
  async skip({ path, bytes }: TarEntry): Promise<void> {
    if (!(await this.#source.skip(bytes + paddingBytes(bytes))))
      this.stop(`ends in the middle of ${printable(path)}: it is cut short`);
  }

  /** Ends the reading with this finding. */
  stop(reason: string): void {
    this.#isBroken = true;
    this.#findings.add(undefined, reason);
  }

  async #header(): Promise<TarHeader | undefined> {
    const { position } = this.#source;
    const hasBlock = await this.#source.fill(blockBytes);
    if (!hasBlock) {
      const where = this.#source.available === 0 ? 'between two entries' : 'in the middle of a header';
      this.stop(position === 0 ? 'is too short for a tar' : `ends ${where}: it is cut short`);
      return undefined;
    }
    const block = this.#source.take(blockBytes);
    if (isZeroBlock(block)) return this.#end();
    const header = parseTarHeader(block);
    if (header === undefined)
      this.stop(position === 0 ? 'is not a tar' : `has no tar header at byte ${position}: it is damaged there`);
    return header;
  }

  /** After the first zero block: the second must follow. */
  async #end(): Promise<undefined> {
    const { position } = this.#source;
    if (!(await this.#source.fill(blockBytes))) this.stop('ends in its end blocks: it is cut short');
    else if (!isZeroBlock(this.#source.take(blockBytes)))
      this.stop(`has a single zero block before byte ${position}: it is damaged there`);
  }

  async #extension(header: TarHeader): Promise<Extension | undefined> {
    if (header.bytes > mostExtensionBytes) {
      this.stop(`has an extended header of ${header.bytes} bytes: nothing real needs more than ${mostExtensionBytes}`);
      return undefined;
    }
    const body = await this.body({ ...header, kind: 'other', isOwn: false, isExtended: false });
    if (body === undefined) return undefined;
    if (header.type === 'L' || header.type === 'K') return this.#gnuName(header, body);
    const records = parsePax(body);
    if (records === undefined) {
      this.stop(`has a malformed PAX header before byte ${this.#source.position}: it is damaged there`);
      return undefined;
    }
    return this.#pax(header, records);
  }

  #gnuName({ type, path, mtimeSeconds }: TarHeader, body: Buffer): Extension {
    const name = decodeUtf8(body.subarray(0, -1));
    if (name === undefined || name.includes('\0') || body.at(-1) !== 0)
      this.#findings.add(path, 'is a malformed GNU long name');
    return { ...(type === 'L' && name !== undefined && { path: name }), mtimeSeconds, isOwn: false };
  }

  #pax(header: TarHeader, records: ReadonlyMap<string, string>): Extension {
    const path = records.get('path');
    const size = records.get('size');
    const isSparse = [...records.keys()].some((key) => key.startsWith('GNU.sparse.'));
    if (isSparse) this.#findings.add(path ?? header.path, 'is a sparse file');
    if (size !== undefined && !/^\d{1,15}$/.test(size))
      this.#findings.add(path ?? header.path, 'has a size in its PAX header that is no number');
    if (header.type === 'g' && (path !== undefined || size !== undefined)) {
      this.#findings.add(header.path, 'is a PAX header that gives every entry the same name or size');
    }
    return {
      ...(path !== undefined && { path }),
      ...(size !== undefined && { bytes: Number(size) }),
      mtimeSeconds: header.mtimeSeconds,
      isOwn: header.type === 'x' && records.size === 1 && path !== undefined && hasOwnValues(header, '0'),
    };
  }

  #entry(header: TarHeader, extension: Extension | undefined): TarEntry {
    const { mtimeSeconds, type } = header;
    const path = extension?.path ?? header.path;
    const isFile = type === '0' || type === '\0' || type === '7';
    const isExtensionOwn = extension === undefined || (extension.isOwn && extension.mtimeSeconds === mtimeSeconds);
    const isDirectory = type === '5' || (type === '\0' && path.endsWith('/'));
    if (!isFile && !isDirectory) {
      this.#findings.add(
        path,
        `is ${otherTypes[type] ?? `of unknown type ${JSON.stringify(type)}`}; an archive has files and directories`,
      );
    }
    return {
      path,
      kind: isDirectory ? 'directory' : isFile ? 'file' : 'other',
      bytes: isDirectory ? 0 : (extension?.bytes ?? header.bytes),
      mtimeSeconds,
      isOwn: hasOwnValues(header, type) && isExtensionOwn,
      isExtended: extension !== undefined,
    };
  }
}

/** Whether the `bytes` at `offset`, at most a block, are all zero. */
export function isZeroPadding(source: Buffer, offset: number, bytes: number): boolean {
  return bytes === 0 || zeros.compare(source, offset, offset + bytes, 0, bytes) === 0;
}

function isExtension({ type }: TarHeader): boolean {
  return ['x', 'g', 'L', 'K'].includes(type);
}

/** FORMAT.md, "Headers": each field has one allowed value. The type is that of the entry a header speaks of. */
function hasOwnValues({ isPlain, mode, uid, gid, bytes, mtimeSeconds }: TarHeader, type: string): boolean {
  if (!isPlain || uid !== 0 || gid !== 0) return false;
  return type === '5' ? mode === 0o700 && mtimeSeconds === 0 && bytes === 0 : type === '0' && mode === 0o600;
}
