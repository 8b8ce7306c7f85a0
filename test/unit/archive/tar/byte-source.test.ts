import { expect, test } from '@jest/globals';
import { ByteSource } from '#src/archive/tar/byte-source.js';
import { inputOf } from '../../../support/archive/sample.js';

const text = 'the bytes of an archive, in order';
const sourceOf = (chunkBytes: number): ByteSource => new ByteSource(inputOf(Buffer.from(text), chunkBytes).chunks);

test.each([1, 3, 7, 100])(
  'bytes come in the order asked for, whatever chunks they came in (%d)',
  async (chunkBytes) => {
    const source = sourceOf(chunkBytes);
    const taken: string[] = [];
    for (const count of [4, 0, 5, 1, 14]) {
      expect(await source.fill(count)).toBe(true);
      taken.push(source.take(count).toString());
    }
    expect(taken).toEqual(['the ', '', 'bytes', ' ', 'of an archive,']);
    expect(source.position).toBe(24);
    expect(await source.skip(4)).toBe(true);
    expect(await source.fill(6)).toBe(false);
    expect(source.take(5).toString()).toBe('order');
    expect(await source.skip(1)).toBe(false);
  },
);

test.each([1, 3, 7, 100])('what was taken stays as it is, whatever is read after it (%d)', async (chunkBytes) => {
  const source = sourceOf(chunkBytes);
  const taken: Buffer[] = [];
  while (await source.fill(2)) {
    taken.push(source.take(2));
    if (await source.fill(2)) source.use(1);
  }
  const expected = Array.from({ length: Math.ceil(text.length / 3) }, (_, index) =>
    text.slice(3 * index, 3 * index + 2),
  );
  expect(taken.map(String)).toEqual(expected);
});

test('no byte is taken that is not available', async () => {
  const source = sourceOf(10);
  expect(() => source.take(1)).toThrow(new RangeError('1 bytes are not available'));
  await source.fill(4);
  source.advance(4);
  expect(() => source.take(7)).toThrow(new RangeError('7 bytes are not available'));
  expect(source.take(6).toString()).toBe('bytes ');
});

test('what was peeked at stays, and all of it comes out of rest, which closes the input', async () => {
  let isClosed = false;
  const chunks = async function* (): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (const text of ['01', '2', '3456', '7']) yield Promise.resolve(Buffer.from(text));
      yield Buffer.from('never read');
    } finally {
      isClosed = true;
    }
  };
  const source = new ByteSource(chunks());
  expect((await source.peek(4)).toString()).toBe('0123');
  expect((await source.peek(2)).toString()).toBe('01');
  const pieces: string[] = [];
  for await (const piece of source.rest()) {
    pieces.push(piece.toString());
    if (piece.includes('7')) break;
  }
  expect([pieces.join(''), isClosed]).toEqual(['01234567', true]);
});

test('peeking copies nothing of a chunk that has enough, and gives less only at the end', async () => {
  const chunk = Buffer.from('0123456789');
  const source = new ByteSource(ReadableStream.from([chunk]));
  expect((await source.peek(4)).buffer).toBe(chunk.buffer);
  expect((await source.peek(99)).toString()).toBe('0123456789');
});

test('a failure of the input comes after the bytes before it, as often as it is read', async () => {
  const failing = async function* (): AsyncGenerator<Buffer, void, undefined> {
    yield Buffer.from('ab');
    throw await Promise.resolve(new Error('disk'));
  };
  const source = new ByteSource(failing());
  await expect(source.peek(10)).rejects.toThrow('disk');
  const rest = source.rest();
  expect((await rest.next()).value?.toString()).toBe('ab');
  await expect(rest.next()).rejects.toThrow('disk');
  await expect(source.fill(1)).rejects.toThrow('disk');
});
