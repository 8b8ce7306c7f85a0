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

test('no byte is taken that has not come', async () => {
  const source = sourceOf(10);
  expect(() => source.take(1)).toThrow(new RangeError('1 bytes are not available'));
  await source.fill(4);
  source.advance(4);
  expect(() => source.take(7)).toThrow(new RangeError('7 bytes are not available'));
  expect(source.take(6).toString()).toBe('bytes ');
});
