// Streams of bytes: written to the last byte, read again, and ended when they make no progress.
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { rereadSource } from '#src/store/archive-source.js';
import { guardProgress } from '#src/base/progress-guard.js';
import { writeFully } from '#src/store/output.js';

describe('a write to a descriptor', () => {
  /** Takes what `takes` says, one number for each call; a code is thrown. */
  function target(takes: readonly (number | string)[]): {
    write: (bytes: Buffer) => Promise<void>;
    taken: () => string;
  } {
    const left = [...takes];
    let taken = '';
    const writeSome = (bytes: Buffer, offset: number): Promise<number> => {
      const next = left.shift() ?? bytes.length;
      if (typeof next === 'string') return Promise.reject(Object.assign(new Error(next), { code: next }));
      const part = bytes.subarray(offset, offset + next);
      taken += part.toString();
      return Promise.resolve(part.length);
    };
    return { write: (bytes) => writeFully(writeSome, bytes), taken: () => taken };
  }

  test.each([[[]], [[1, 2]], [['EAGAIN', 4, 'EAGAIN', 'EAGAIN', 1]]])(
    'writes on until all is taken: %j',
    async (takes) => {
      const { write, taken } = target(takes);
      await write(Buffer.from('0123456789'));
      expect(taken()).toBe('0123456789');
    },
  );

  test.each(['ENOSPC', 'EFBIG', 'EDQUOT', 'EIO', 'EPIPE'])('fails with %s after a part was taken', async (code) => {
    const { write, taken } = target([7, code]);
    await expect(write(Buffer.from('0123456789'))).rejects.toMatchObject({ code });
    expect(taken()).toBe('0123456');
  });

  test('fails where nothing is taken and no error is given', async () => {
    const { write } = target([3, 0]);
    await expect(write(Buffer.from('0123456789'))).rejects.toMatchObject({ code: 'EIO' });
  });
});

test('an archive from a stream that is read again keeps its name and its bytes', async () => {
  const open = () =>
    Promise.resolve({
      name: 'the pipe',
      chunks: Readable.from([Buffer.from('ab'), Buffer.from('c')]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  await using source = rereadSource(open, { signal: new AbortController().signal, temporaryDirectory: tmpdir() });
  for (const sizeBytes of [undefined, 3, 3]) {
    await using input = await source.open();
    const chunks: Buffer[] = [];
    for await (const chunk of input.chunks) chunks.push(chunk);
    expect({ name: input.name, sizeBytes: input.sizeBytes, text: Buffer.concat(chunks).toString() }).toEqual({
      name: 'the pipe',
      sizeBytes,
      text: 'abc',
    });
  }
});

describe('the guard of progress', () => {
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

  test('an input that makes progress has no time limit', async () => {
    expect(await read(slowInput(29, 100), (bytes) => bytes)).toBe(100);
    expect(await read(slowInput(10, 100), (bytes) => Math.floor(bytes / 3))).toBe(100);
  });

  test('one that does not is ended when the wait for it exceeds the window', async () => {
    const input = slowInput(1, 100);
    await expect(read(input, () => 0)).rejects.toThrow('stalled');
    expect(input.clock.seconds).toBe(31);
    await expect(read(slowInput(10, 100), (bytes) => Math.floor(bytes / 5))).rejects.toThrow('stalled');
  });

  test('the time that its reader takes does not count', async () => {
    expect(await read(slowInput(0.1, 100), () => 0, 3600)).toBe(100);
  });
});
