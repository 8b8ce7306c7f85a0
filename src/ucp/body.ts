/** Reading what UCP sends: never for ever, never without bound, and ended at once by an abort. */
import { Readable } from 'node:stream';
import { onAbort, withTimeout } from '../base/deadline.js';

export interface BodyGuard {
  /** The longest wait for the next bytes; the time a slow reader takes does not count. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
  readonly onStall: () => Error;
  /** Translates what the connection throws. */
  readonly translate: (error: unknown) => Error;
  /** Called once when reading is over, for whatever reason: closes the connection. */
  readonly close: () => void;
}

/**
 * The bytes of `source`, pulled only as the reader asks. It ends in an error when they stall or are cut short, and
 * with the signal's reason on an abort. Destroying it closes the connection.
 */
export function guardBody(source: AsyncIterable<unknown>, guard: BodyGuard): Readable {
  const { stallMs, signal, onStall, translate, close } = guard;
  const chunks = source[Symbol.asyncIterator]();
  let takeBack = (): void => undefined;
  const readNext = async (): Promise<void> => {
    let stall: Error | undefined;
    try {
      const next = await withTimeout(chunks.next(), stallMs, () => (stall = onStall()));
      guarded.push(next.done === true ? null : next.value);
    } catch (error) {
      guarded.destroy(stall ?? translate(error));
    }
  };
  const guarded = new Readable({
    read: () => void readNext(),
    destroy: (error, done) => {
      takeBack();
      close();
      done(error);
    },
  });
  // An abort may come before the reader has begun to listen; it learns of it by reading.
  guarded.on('error', () => undefined);
  takeBack = onAbort(signal, () => void guarded.destroy(signal.reason as Error));
  return guarded;
}

/** All of the body as text. Throws `onTooLong()` and destroys the body when it has more than `maxBytes`. */
export async function readText(body: Readable, maxBytes: number, onTooLong: () => Error): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    if (byteCount > maxBytes) throw onTooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
