import { expect, test } from '@jest/globals';
import { Leftover } from '#src/archive/envelope/leftover.js';

const of = (...chunks: readonly Buffer[]): Leftover => new Leftover(ReadableStream.from(chunks));

test('peeking copies nothing of a chunk that has enough', async () => {
  const chunk = Buffer.from('0123456789');
  const source = of(chunk);
  const peeked = await source.peek(4);
  expect(peeked.toString()).toBe('0123');
  const next = await source.next();
  expect([next?.buffer === chunk.buffer, next?.byteOffset, next?.length]).toEqual([true, chunk.byteOffset, 10]);
});

test('what was peeked at over several chunks comes next', async () => {
  const source = of(Buffer.from('01'), Buffer.from('2'), Buffer.from('3456'), Buffer.from('7'));
  expect((await source.peek(4)).toString()).toBe('0123');
  expect((await source.peek(2)).toString()).toBe('01');
  expect(Buffer.from((await source.next()) ?? []).toString()).toBe('0123456');
  expect((await source.peek(4)).toString()).toBe('7');
  expect(Buffer.from((await source.next()) ?? []).toString()).toBe('7');
  expect([await source.next(), (await source.peek(4)).length]).toEqual([undefined, 0]);
});
