/** The headers of zstd frames (RFC 8878): their kind, and the memory that decoding needs. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { limits } from './limits.js';

/** The longest header of a frame. */
export const frameHeadBytes = 18;

const magic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/** The frame that begins with `head`; undefined for no frame. pzstd and others write a skippable one first. */
export function frameKind(head: Buffer): 'data' | 'skippable' | undefined {
  if (head.length < 4) return undefined;
  const found = head.readUInt32LE();
  if (found === magic) return 'data';
  return found >>> 4 === skippableMagic >>> 4 ? 'skippable' : undefined;
}

/** The size of a skippable frame, header included. */
export function skippableFrameBytes(head: Buffer): number {
  return 8 + (head.length < 8 ? 0 : head.readUInt32LE(4));
}

/** Throws a JobError with exit code 2 for a frame that needs more memory than the limit. */
export function assertWindow(head: Buffer): void {
  const window = windowBytes(head);
  if (window === undefined || window <= limits.maxZstdWindowBytes) return;
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / (1024 * 1024))} MiB`;
  const limit = `${mebibytes(limits.maxZstdWindowBytes)} (zstd --long=27) is the limit`;
  throw new JobError(
    ExitCode.usage,
    `the zstd data needs a window of ${mebibytes(window)}, and ${limit}: decompress it with zstd -d --long=31 first`,
  );
}

/** Undefined for a truncated header. */
function windowBytes(head: Buffer): number | undefined {
  const [descriptor, window] = head.subarray(4);
  if (descriptor === undefined || window === undefined) return undefined;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if (!isSingleSegment) {
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  // The content is the window: its size follows the dictionary's id.
  const at = 5 + ((1 << (descriptor & 3)) >> 1);
  const size = 1 << (descriptor >> 6);
  if (head.length < at + size) return undefined;
  if (size === 8) return Number(head.readBigUInt64LE(at));
  return head.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}
