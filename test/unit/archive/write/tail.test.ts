// The end of an archive: every file as it is given, and the end blocks only where all of it was taken.
import { expect, test } from '@jest/globals';
import { writeTail } from '#src/archive/write/tail.js';
import type { Output } from '#src/model/archive-stream.js';
import { readTarEntries } from '../../../support/tar-entries.js';

const files = Array.from({ length: 50 }, (_, index) => ({
  path: `ca/file\\${index}\\`,
  body: Buffer.alloc(index * 100),
}));

function outputFailingAt(failing: number): { output: Output; chunks: Buffer[] } {
  const chunks: Buffer[] = [];
  const output: Output = {
    name: 'the output',
    write: (chunk) => {
      chunks.push(chunk);
      return chunks.length === failing ? Promise.reject(new Error('no more')) : Promise.resolve();
    },
    commit: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { output, chunks };
}

test('is written in order, backslashes and all, with its end', async () => {
  const { output, chunks } = outputFailingAt(0);
  await writeTail(output, files, new Date('2100-01-01T00:00:00.900Z'));
  const tar = Buffer.concat(chunks);
  expect(tar.subarray(-1024).equals(Buffer.alloc(1024))).toBe(true);
  const entries = await readTarEntries(tar);
  expect(entries.map(({ header, body }) => [header.name, body])).toEqual(files.map(({ path, body }) => [path, body]));
  for (const { header } of entries)
    expect(header).toMatchObject({ mode: 0o600, uid: 0, gid: 0, mtime: new Date('2100-01-01T00:00:00Z') });
});

test.each([1, 2, 40, 51])('write %d that fails is the failure, and nothing is written after it', async (failing) => {
  const { output, chunks } = outputFailingAt(failing);
  await expect(writeTail(output, files, new Date(0))).rejects.toThrow('no more');
  expect(chunks).toHaveLength(failing);
});
