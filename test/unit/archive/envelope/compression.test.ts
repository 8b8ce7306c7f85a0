import { expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { decompress } from '#src/archive/envelope/compression.js';
import { ByteSource } from '#src/archive/tar/byte-source.js';
import { noise } from '../../../support/archive/wrapped.js';

test('reading that ends early ends its source, also when that is waiting for more', async () => {
  const compressed = gzipSync(noise(1_000_000));
  let goOn = (): void => undefined;
  const more = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let isClosed = false;
  const source = async function* (): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield compressed.subarray(0, 100_000);
      await more;
      yield compressed.subarray(100_000);
    } finally {
      isClosed = true;
    }
  };
  const plain = decompress(new ByteSource(source()), 'gzip');
  expect((await plain.next()).done).toBe(false);
  const ended = plain.return();
  goOn();
  await ended;
  expect(isClosed).toBe(true);
});
