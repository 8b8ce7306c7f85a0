import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { rereadSource } from '#src/archive/io/archive-source.js';

test('a stream that is read again keeps its name and its bytes', async () => {
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
