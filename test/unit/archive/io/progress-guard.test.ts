import { expect, test } from '@jest/globals';
import { guardProgress } from '#src/archive/io/progress-guard.js';

/** Chunks of one byte, each after so many seconds of the clock that the reader passes on, too. */
function slowInput(secondsPerChunk: number, count: number) {
  const clock = { seconds: 0 };
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let index = 0; index < count; index += 1) {
      clock.seconds += secondsPerChunk;
      yield await Promise.resolve(Buffer.from('c'));
    }
  }
  return { clock, chunks };
}

async function read(input: ReturnType<typeof slowInput>, progress: (bytes: number) => number, readerSeconds = 0) {
  const { clock, chunks } = input;
  const guard = {
    windowMs: 30_000,
    progress,
    monotonicMs: () => 1000 * clock.seconds,
    onStall: () => new Error('stalled'),
  };
  let count = 0;
  for await (const chunk of guardProgress(chunks(), guard)) {
    count += chunk.length;
    clock.seconds += readerSeconds;
  }
  return count;
}

test('an input that gets on may take as long as it likes', async () => {
  expect(await read(slowInput(29, 100), (bytes) => bytes)).toBe(100);
  expect(await read(slowInput(10, 100), (bytes) => Math.floor(bytes / 3))).toBe(100);
});

test('one that does not is ended when the waiting for it exceeds the window', async () => {
  const input = slowInput(1, 100);
  await expect(read(input, () => 0)).rejects.toThrow('stalled');
  expect(input.clock.seconds).toBe(31);
  await expect(read(slowInput(10, 100), (bytes) => Math.floor(bytes / 5))).rejects.toThrow('stalled');
});

test('the time that its reader takes does not count', async () => {
  expect(await read(slowInput(0.1, 100), () => 0, 3600)).toBe(100);
});
