// What an engine's tar of a directory is as a storage: its first part cut off, and nothing of it taken on trust.
import { describe, expect, test } from '@jest/globals';
import { readEngineTar, type StorageItem } from '#src/archive/images/storage-tree.js';
import { chunksOf } from '../../../support/archive/sample.js';
import { paxHeader, rawEntry } from '../../../support/archive/odd-tars.js';

const end = Buffer.alloc(1024);
const root = rawEntry({ name: '_data/', type: '5' });
const long = 'x'.repeat(1000);

/** Each step in words; bodies are read where `isRead` says so. */
async function stepsOf(tar: Buffer, isRead: (path: string) => boolean = () => true): Promise<string[]> {
  const steps: string[] = [];
  const chunks = ReadableStream.from(chunksOf(tar, 700));
  for await (const item of readEngineTar(chunks, (reason) => new Error(reason)))
    steps.push(await inWords(item, isRead));
  return steps;
}

async function inWords(item: StorageItem, isRead: (path: string) => boolean): Promise<string> {
  if (item.kind === 'vanished') return `vanished ${item.path}`;
  if (item.kind === 'leftOut') return `leftOut ${item.path} ${item.why}${item.hasContent ? ', with content' : ''}`;
  const { type, path, target } = item.entry;
  let bytes = 0;
  if (isRead(path)) for await (const piece of item.body) bytes += piece.length;
  expect(item.changes()).toBeUndefined();
  return `${type} ${path}${target === '' ? '' : ` -> ${target}`}${bytes > 0 ? ` (${bytes})` : ''}`;
}

describe('an engine’s tar', () => {
  const all = Buffer.concat([
    root,
    rawEntry({ name: '_data/docker/', type: '5' }),
    rawEntry({ name: '_data/docker/a', body: long }),
    rawEntry({ name: '_data/docker/b', type: '1', link: '_data/docker/a' }),
    rawEntry({ name: '_data/docker/c', type: '2', link: '../a' }),
    rawEntry({ name: '_data/docker/d', body: long }),
    end,
  ]);
  const steps = ['directory ', 'directory docker', 'file docker/a (1000)', 'link docker/b -> docker/a'];

  test('gives directories, files and links of both kinds below its first part', async () => {
    expect(await stepsOf(all)).toEqual([...steps, 'symlink docker/c -> ../a', 'file docker/d (1000)']);
  });

  test('gives them also where bodies are left', async () => {
    const read = await stepsOf(all, (path) => path === 'docker/d');
    expect(read.slice(2)).toEqual([
      'file docker/a',
      'link docker/b -> docker/a',
      'symlink docker/c -> ../a',
      'file docker/d (1000)',
    ]);
  });

  test('leaves out what does not fit an archive, and says whether there is content in it', async () => {
    const odd = [
      rawEntry({ name: '_data/pipe', type: '6' }),
      rawEntry({ name: '_data/odd', type: 'Q', body: long }),
      rawEntry({ name: '_data/back\\slash', body: long }),
      rawEntry({ name: '_data/a', body: 'a' }),
    ];
    expect(await stepsOf(Buffer.concat([root, ...odd, end]))).toEqual([
      'directory ',
      'leftOut pipe is a FIFO',
      'leftOut odd is of unknown type "Q", with content',
      'leftOut back\\slash has a backslash in its name, with content',
      'file a (1)',
    ]);
  });

  test('may end in zeros up to a megabyte, and no later', async () => {
    const padded = Buffer.concat([root, end, Buffer.alloc(1024 * 1024)]);
    expect(await stepsOf(padded)).toEqual(['directory ']);
    await expect(stepsOf(Buffer.concat([padded, Buffer.alloc(1)]))).rejects.toThrow(
      'it has trailing bytes after its end blocks',
    );
  });

  const file = rawEntry({ name: '_data/a', body: long });
  const spoilt = Buffer.from(file).fill(1, 512 + 1000);
  test.each([
    ['cut in a body', [root, file.subarray(0, 1000)], 'it ends in the middle of _data/a: it is cut short'],
    ['cut between two entries', [root], 'it ends between two entries: it is cut short'],
    ['of nothing', [], 'it is too short for a tar'],
    ['with bytes behind a body', [spoilt, end], '_data/a is followed by padding that is not zero'],
    ['leading out', [rawEntry({ name: '_data/../a' }), end], '_data/../a is outside the volume'],
    [
      'with a link that leads out',
      [rawEntry({ name: '_data/a', type: '1', link: '_data/../b' }), end],
      'links out of the volume',
    ],
    ['with an owner that is none', [paxHeader(['uid', 'root']), file, end], 'has an owner or a time in its PAX header'],
  ])('%s is refused', async (_what, parts, message) => {
    await expect(stepsOf(Buffer.concat(parts))).rejects.toThrow(message);
  });
});
