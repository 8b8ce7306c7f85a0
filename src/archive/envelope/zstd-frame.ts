/** The heads of zstd's frames (RFC 8878): which there are, and what memory one wants. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { limits } from './limits.js';

/** The longest head of a frame. */
export const frameHeadBytes = 18;

const magic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/** What begins with `head`: data, something to be passed over (pzstd and others put such a frame first), or no frame. */
export function frameKind(head: Buffer): 'data' | 'skippable' | undefined {
  if (head.length < 4) return undefined;
  const found = head.readUInt32LE();
  if (found === magic) return 'data';
  return found >>> 4 === skippableMagic >>> 4 ? 'skippable' : undefined;
}

/** All of a frame that is to be passed over; its head where that is cut short. */
export function skippedBytes(head: Buffer): number {
  return 8 + (head.length < 8 ? 0 : head.readUInt32LE(4));
}

/** Throws a JobError with exit code 2 for a frame that wants more memory than the limit. */
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

/** Undefined where the head is cut short. */
function windowBytes(head: Buffer): number | undefined {
  const [descriptor, window] = head.subarray(4);
  if (descriptor === undefined || window === undefined) return undefined;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if (!isSingleSegment) {
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  // All of the content is the window: its size follows the identity of a dictionary.
  const at = 5 + ((1 << (descriptor & 3)) >> 1);
  const size = 1 << (descriptor >> 6);
  if (head.length < at + size) return undefined;
  if (size === 8) return Number(head.readBigUInt64LE(at));
  return head.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}
