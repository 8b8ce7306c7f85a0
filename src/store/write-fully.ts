/** Writing to a descriptor, to the last byte: one write(2) may take a part only, which is no error. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../base/errors.js';

/** One write(2) at the descriptor's own position: resolves with how many bytes it took. */
export type WriteSome = (bytes: Buffer, offset: number) => Promise<number>;

/** For a device that has been opened non-blocking, and takes nothing now. */
const busyPauseMs = 20;

/** Resolves when all bytes have been taken. Rejects with the system's error. */
export async function writeFully(writeSome: WriteSome, bytes: Buffer): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    try {
      const taken = await writeSome(bytes, offset);
      if (taken === 0) throw Object.assign(new Error('nothing more is taken'), { code: 'EIO' });
      offset += taken;
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      await sleep(busyPauseMs);
    }
  }
}
