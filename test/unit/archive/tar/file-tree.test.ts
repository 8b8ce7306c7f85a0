import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { pack } from 'tar-stream';
import { readFileTree } from '#src/archive/tar/file-tree.js';
import { alterHeader, foreignTar } from '../../../support/archive/tar-blocks.js';

const options = { directory: '/ca', monotonicMs: () => 0 };

async function makeTar(): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: 'ca/', type: 'directory' });
  tar.entry({ name: 'ca/rethink/cert.pem' }, 'certificate');
  tar.entry({ name: 'ca/link', type: 'symlink', linkname: '/etc/shadow' });
  tar.entry({ name: 'ca/empty' }, '');
  tar.entry({ name: `ca/${'deep/'.repeat(40)}key.pem` }, 'key');
  tar.finalize();
  return buffer(tar);
}

describe('a directory as the engine packs it', () => {
  test('is read into its files, below the directory, links left out', async () => {
    const { files, skipped } = await readFileTree(Readable.from([await makeTar()]), options);
    expect(files.map(({ path, body }) => [path, body.toString()])).toEqual([
      [`${'deep/'.repeat(40)}key.pem`, 'key'],
      ['empty', ''],
      ['rethink/cert.pem', 'certificate'],
    ]);
    expect(skipped).toEqual(['link']);
  });

  test('is refused when cut at any block, also between two entries', async () => {
    const tar = await makeTar();
    for (let length = 0; length < tar.length; length += 512) {
      await expect(readFileTree(Readable.from([tar.subarray(0, length)]), options)).rejects.toThrow();
    }
  });

  test('is refused when it announces more than certificates can be, before any of it is held', async () => {
    const tar = await foreignTar([[{ name: 'ca/small.pem' }, 'x'], [{ name: 'ca/large.pem' }]]);
    // 64 MiB, of which nothing ever comes.
    const announcing = alterHeader(tar, 1024, 124, '00400000000\0');
    await expect(readFileTree(Readable.from([announcing]), options)).rejects.toThrow(
      'more than 67108864 bytes of files',
    );
  });

  test('is refused when its source fails', async () => {
    const tar = await makeTar();
    const failing = Readable.from(
      (function* () {
        yield tar.subarray(0, 1024);
        throw new Error('connection reset');
      })(),
    );
    await expect(readFileTree(failing, options)).rejects.toThrow('connection reset');
  });
});
