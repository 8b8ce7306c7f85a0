/**
 * What the process that reads a mounted storage says to the one that started it: a frame is its length in four bytes and
 * then JSON; a body follows the frame of its entry as it is. What it is told: the path, in such a frame, and then a byte
 * each time it has asked.
 */
import type { ExitCode } from '../../base/exit-codes.js';
import type { ImageEntry } from './image-entry.js';

export type MountedFrame =
  /** The first. The walk begins when a byte answers. */
  | { readonly kind: 'root'; readonly isDirectory: boolean; readonly hasRegistry: boolean }
  | {
      readonly kind: 'entry';
      readonly entry: ImageEntry;
      readonly hasOtherNames: boolean;
      /** Whether `answers.send` or `answers.pass` is waited for before the body, which is large. */
      readonly isAsked: boolean;
    }
  /** After the body of a file, and where it was passed over; `what` happened to it, if anything. */
  | { readonly kind: 'afterFile'; readonly what?: string }
  | { readonly kind: 'vanished'; readonly path: string }
  | { readonly kind: 'leftOut'; readonly path: string; readonly why: string; readonly hasContent: boolean }
  | { readonly kind: 'failed'; readonly exitCode: ExitCode; readonly message: string }
  | { readonly kind: 'end' };

export const answers = { send: 0x31, pass: 0x30 };

export const lengthBytes = 4;

export function encodeFrame(frame: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(frame));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}
