/**
 * The entries of a tar, one after the other, with their names resolved (ustar, PAX, GNU long names). Everything between
 * them is checked as well: padding, extended headers, end blocks. tar-stream does not do that, and accepts a tar that is cut
 * between two entries.
 */
import type { ByteSource } from './byte-source.js';
import type { FindingSink } from '../../model/finding.js';
import { parsePax } from './pax.js';
import { printable } from '../../base/printable.js';
import {
  gnuNameExtension,
  isAmongOthers,
  isExtension,
  isGnuName,
  paxExtension,
  type Extension,
} from './tar-extension.js';
import { hasOwnValues, isZeroBlock, parseTarHeader, type TarHeader } from './tar-header.js';
import { blockBytes, paddingBytes } from './ustar.js';

export interface TarEntry {
  /** As the archive has it: not to be trusted. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'other';
  /** The type flag as a character. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the body. */
  readonly bytes: number;
  readonly mtimeSeconds: number;
  /** What a link points to, as the archive has it: not to be trusted. */
  readonly linkName: string;
  /** The records of its PAX header. */
  readonly records: ReadonlyMap<string, string>;
  /** As in TarHeader; of its extended header as well, where there is one. */
  readonly isPlain: boolean;
  /** Whether the header has the values that our writer gives to it. */
  readonly isOwn: boolean;
  /** Whether it has an extended header. */
  readonly isExtended: boolean;
}

/** Of the body of an extended header; file names are at most 4096 bytes long on Linux. */
const maxExtensionBytes = 64 * 1024;

/** One of each kind. */
const maxExtensions = 4;

const zeros = Buffer.alloc(blockBytes);

/** Links, devices and FIFOs. */
const linkTypes = ['1', '2', '3', '4', '6'];

const noRecords: ReadonlyMap<string, string> = new Map();

type Sized = Pick<TarEntry, 'path' | 'bytes'>;

export class TarEntries {
  readonly #source: ByteSource;
  readonly #findings: FindingSink;
  #isBroken = false;

  constructor(source: ByteSource, findings: FindingSink) {
    this.#source = source;
    this.#findings = findings;
  }

  /**
   * The next entry; its body must be read with `body`, `pieces` or `skip` before the next call. Undefined after the end
   * blocks, and when the tar cannot be read further, which is a finding and sets `isBroken`.
   */
  async next(): Promise<TarEntry | undefined> {
    let extension: Extension | undefined;
    const types: string[] = [];
    while (!this.#isBroken) {
      const header = await this.#header();
      if (header === undefined) break;
      if (!isExtension(header)) return this.#entry(header, extension);
      if (!isAmongOthers(header.type, types))
        this.#findings.add(header.path, 'is an extended header after another that it contradicts');
      types.push(header.type);
      const more = await this.#extension(header);
      // One entry may have several: GNU tar writes one for the name and one for the link's target.
      extension =
        extension === undefined || more === undefined ? more : { ...extension, ...more, isPlain: false, isOwn: false };
      if (types.length > maxExtensions) this.stop(`has more than ${maxExtensions} extended headers for one entry`);
    }
    if (extension !== undefined && !this.#isBroken) this.stop('ends after an extended header without an entry');
    return undefined;
  }

  /** Whether reading stopped before the end blocks. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The whole body; valid until anything else is read. Undefined when the tar is cut in it. */
  async body({ path, bytes }: Sized): Promise<Buffer | undefined> {
    if (!(await this.#source.fill(bytes + paddingBytes(bytes)))) {
      this.stop(`ends in the middle of ${printable(path)}: it is cut short`);
      return undefined;
    }
    const body = this.#source.use(bytes);
    await this.#padding(path, bytes);
    return body;
  }

  /** The body in pieces, to be read to its end; they may be kept. Ends early when the tar is cut in it. */
  async *pieces({ path, bytes }: Sized): AsyncGenerator<Buffer, void, undefined> {
    for (let left = bytes; left > 0;) {
      if (this.#source.available === 0 && !(await this.#source.fill(1))) {
        this.stop(`ends in the middle of ${printable(path)}: it is cut short`);
        return;
      }
      const piece = this.#source.take(Math.min(left, this.#source.available));
      left -= piece.length;
      yield piece;
    }
    await this.#padding(path, bytes);
  }

  /** Skips the body without holding it. */
  async skip({ path, bytes }: Sized): Promise<void> {
    if (!(await this.#source.skip(bytes + paddingBytes(bytes))))
      this.stop(`ends in the middle of ${printable(path)}: it is cut short`);
  }

  /** Ends the reading with this finding. */
  stop(reason: string): void {
    this.#isBroken = true;
    this.#findings.add(undefined, reason);
  }

  /** Reads the padding after a body of this size. */
  async #padding(path: string, bodyBytes: number): Promise<void> {
    const padding = paddingBytes(bodyBytes);
    if (!(await this.#source.fill(padding))) {
      this.stop(`ends in the padding of ${printable(path)}: it is cut short`);
      return;
    }
    if (!isZeroPadding(this.#source.buffer, this.#source.offset, padding))
      this.#findings.add(path, 'is followed by padding that is not zero');
    this.#source.advance(padding);
  }

  async #header(): Promise<TarHeader | undefined> {
    const { position } = this.#source;
    const hasBlock = await this.#source.fill(blockBytes);
    if (!hasBlock) {
      const where = this.#source.available === 0 ? 'between two entries' : 'in the middle of a header';
      this.stop(position === 0 ? 'is too short for a tar' : `ends ${where}: it is cut short`);
      return undefined;
    }
    const block = this.#source.use(blockBytes);
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
    else if (!isZeroBlock(this.#source.use(blockBytes)))
      this.stop(`has a single zero block before byte ${position}: it is damaged there`);
  }

  async #extension(header: TarHeader): Promise<Extension | undefined> {
    if (header.bytes > maxExtensionBytes) {
      this.stop(`has an extended header of ${header.bytes} bytes: nothing real needs more than ${maxExtensionBytes}`);
      return undefined;
    }
    const body = await this.body(header);
    if (body === undefined) return undefined;
    if (isGnuName(header)) return gnuNameExtension(header, body, this.#findings);
    const records = parsePax(body);
    if (records === undefined) {
      this.stop(`has a malformed PAX header before byte ${this.#source.position}: it is damaged there`);
      return undefined;
    }
    return paxExtension(header, records, this.#findings);
  }

  #entry(header: TarHeader, extension: Extension | undefined): TarEntry {
    const { mode, uid, gid, mtimeSeconds, type } = header;
    const isPlain = header.isPlain && extension?.isPlain !== false;
    const path = extension?.path ?? header.path;
    const bytes = extension?.bytes ?? header.bytes;
    const isFile = type === '0' || type === '\0' || type === '7';
    const isExtensionOwn = extension === undefined || (extension.isOwn && extension.mtimeSeconds === mtimeSeconds);
    // Before ustar, a slash at the end of the path marked a directory; tar programs still accept that.
    const isDirectory = type === '5' || (isFile && path.endsWith('/'));
    // Tar programs differ on whether such an entry has a body, and so on where the next entry begins.
    if (bytes > 0 && (isDirectory || linkTypes.includes(type)))
      this.stop(`has a body for ${printable(path)}, though that is no file`);
    return {
      ...{ path, type, mode, uid, gid, mtimeSeconds, isPlain },
      kind: isDirectory ? 'directory' : isFile ? 'file' : 'other',
      bytes: isDirectory ? 0 : bytes,
      linkName: extension?.linkName ?? header.linkName,
      records: extension?.records ?? noRecords,
      isOwn: hasOwnValues(header, type) && isExtensionOwn && isDirectory === (type === '5'),
      isExtended: extension !== undefined,
    };
  }
}

/** Whether the `bytes` at `offset`, at most a block, are all zero. */
export function isZeroPadding(source: Buffer, offset: number, bytes: number): boolean {
  return bytes === 0 || zeros.compare(source, offset, offset + bytes, 0, bytes) === 0;
}
