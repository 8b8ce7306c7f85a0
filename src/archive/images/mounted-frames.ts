/**
 * What the process that reads a mounted storage writes: each frame is its length in four bytes and then JSON; a file's body follows its entry. It reads
 * the path, in such a frame, and one byte for each answer.
 */
import type { ExitCode } from '../../base/exit-codes.js';
import type { ImageEntry } from './image-entry.js';
import type { StorageItem } from './storage-tree.js';

export type MountedFrame =
  /** The first. The walk begins after an answer. */
  | { readonly kind: 'root'; readonly isDirectory: boolean; readonly hasRegistry: boolean }
  | {
      readonly kind: 'entry';
      readonly entry: ImageEntry;
      readonly hasOtherNames: boolean;
      /** Whether the process waits for an answer before the body, which is large. */
      readonly isAsked: boolean;
    }
  /** After a file's body, sent or not. */
  | { readonly kind: 'afterFile'; readonly change?: string | undefined }
  | Exclude<StorageItem, { kind: 'entry' }>
  | { readonly kind: 'failed'; readonly exitCode: ExitCode; readonly message: string }
  | { readonly kind: 'end' };

/** After `preview`, the process sends the body and waits for the next answer. */
export const answers = { send: 0x31, skip: 0x30, preview: 0x32 };

export const lengthBytes = 4;

export function encodeFrame(frame: MountedFrame | string): Buffer {
  const json = Buffer.from(JSON.stringify(frame));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}
