/** Archives altered by somebody who knows the format, or broken by a bug: what verify says of each. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { lines, makeArchive, sampleCertificates, sampleRoot, verifyBytes } from '../../support/archive/sample.js';
import {
  alterHeader,
  foreignEntry,
  joinEntries,
  splitEntries,
  type RawEntry,
} from '../../support/archive/tar-blocks.js';

let entries: RawEntry[];
let rest: Buffer;
let archive: Buffer;

beforeAll(async () => {
  archive = await makeArchive(undefined, { certificates: sampleCertificates.slice(0, 1) });
  ({ entries, rest } = splitEntries(archive));
});

const indexOf = (path: string): number => entries.findIndex(({ name }) => name === `${sampleRoot}/${path}`);
const at = (index: number): RawEntry[] => entries.slice(index, index + 1);
const without = (path: string): RawEntry[] => entries.filter(({ name }) => name !== `${sampleRoot}/${path}`);
const offsetOf = (path: string): number =>
  entries.slice(0, indexOf(path)).reduce((total, { bytes }) => total + bytes.length, 0);

async function findingsOf(altered: Buffer): Promise<string[]> {
  const verdict = await verifyBytes(altered);
  expect(verdict.state).toBe('invalid');
  return lines(verdict);
}

describe('entries', () => {
  test('are each noticed when missing', async () => {
    for (const { name } of entries) {
      const altered = joinEntries(
        entries.filter((entry) => entry.name !== name),
        rest,
      );
      expect((await verifyBytes(altered)).state).toBe('invalid');
    }
  });

  test('are each noticed when doubled', async () => {
    for (const [index] of entries.entries()) {
      await findingsOf(joinEntries([...entries.slice(0, index), ...at(index), ...entries.slice(index)], rest));
    }
  });

  test('are noticed when any two neighbours are swapped', async () => {
    for (let index = 1; index < entries.length; index += 1) {
      const swapped = [...entries.slice(0, index - 1), ...at(index), ...at(index - 1), ...entries.slice(index + 1)];
      await findingsOf(joinEntries(swapped, rest));
    }
  });

  test('a dropped document is named, and the table with it', async () => {
    expect(await findingsOf(joinEntries(without('rethink/tags/1'), rest))).toEqual([
      `${sampleRoot}/rethink/tags/2: is out of sequence: expected 1`,
      `${sampleRoot}/rethink/tags/: has 2 entries, the manifest says 3`,
      expect.stringMatching(/tags\/: has \d+ bytes, the manifest says \d+/),
      `${sampleRoot}/rethink/tags/: does not match its SHA-256: it was altered`,
    ]);
  });

  test('a missing table is named', async () => {
    expect(await findingsOf(joinEntries(without('rethink/empty/'), rest))).toEqual([
      `${sampleRoot}/rethink/empty/: is missing`,
    ]);
  });

  test('a table too many is named', async () => {
    const extra = splitEntries(await makeArchive([{ name: 'zebra', texts: ['{"id":1}'] }])).entries.slice(3, 5);
    const end = indexOf('certs/');
    expect(await findingsOf(joinEntries([...entries.slice(0, end), ...extra, ...entries.slice(end)], rest))).toEqual([
      `${sampleRoot}/rethink/zebra/: is not in the plan`,
      `${sampleRoot}/rethink/zebra/0: is not in the plan`,
    ]);
  });

  test('a file too many is named', async () => {
    const extra = await foreignEntry({ name: `${sampleRoot}/rethink/notes.txt`, mode: 0o600, mtime: new Date(0) }, 'x');
    const end = entries.length - 1;
    expect(await findingsOf(joinEntries([...entries.slice(0, end), extra, ...entries.slice(end)], rest))).toEqual([
      `${sampleRoot}/rethink/notes.txt: is a file where a directory belongs`,
      `${sampleRoot}/rethink/notes.txt: has no place in an archive`,
      `${sampleRoot}/rethink/notes.txt: has another modification time than the start of the backup`,
    ]);
  });

  test('a document that comes back after another table is out of place', async () => {
    const moved = [...without('rethink/tags/2')];
    moved.splice(
      moved.findIndex(({ name }) => name.endsWith('tuf_files/0')),
      0,
      ...at(indexOf('rethink/tags/2')),
    );
    expect(await findingsOf(joinEntries(moved, rest))).toContain(`${sampleRoot}/rethink/tags/2: is in the wrong place`);
  });

  test('two archives joined are more than one', async () => {
    const joined = Buffer.concat([archive, archive]);
    expect(await findingsOf(joined)).toEqual([`the archive: has ${archive.length} trailing bytes`]);
  });

  test('zeros after the end are no part of it', async () => {
    expect(await findingsOf(Buffer.concat([archive, Buffer.alloc(512)]))).toEqual([
      'the archive: has 512 trailing bytes',
    ]);
  });

  test('an end block in the middle is no end', async () => {
    const middle = offsetOf('rethink/tags/1');
    const altered = Buffer.concat([archive.subarray(0, middle), Buffer.alloc(512), archive.subarray(middle)]);
    expect(await findingsOf(altered)).toEqual([
      `the archive: has a single zero block before byte ${middle + 512}: it is damaged there`,
    ]);
  });

  test('padding that is not zero is named', async () => {
    const altered = Buffer.from(archive);
    altered[offsetOf('rethink/tags/1') - 1] = 1;
    expect(await findingsOf(altered)).toEqual([
      `${sampleRoot}/rethink/tags/0: is followed by padding that is not zero`,
    ]);
  });
});

test.each([
  ['mode', 100, '0000644\0'],
  ['owner', 108, '0000001\0'],
  ['group', 116, '0000001\0'],
  ['type', 156, '7'],
  ['link name', 157, 'x'],
  ['owner name', 265, 'root'],
  ['group name', 297, 'root'],
  ['device', 329, '0000001\0'],
  ['end of the block', 511, 'x'],
])('a header with another %s is noticed, though its checksum is right', async (_field, fieldAt, text) => {
  for (const path of [
    '',
    'rethink/tags/',
    'rethink/tags/0',
    'rethink/tags/1',
    'certs/ca/rethink/cert.pem',
    'manifest.json',
  ]) {
    const altered = alterHeader(archive, offsetOf(path), fieldAt, text);
    expect((await findingsOf(altered)).join()).toContain('has a tar header that dtr-backup does not write');
  }
});

test.each(['rethink/tags/0', 'rethink/tags/1', 'certs/ca/rethink/cert.pem', 'manifest.json'])(
  'another modification time of %s is noticed',
  async (path) => {
    await findingsOf(alterHeader(archive, offsetOf(path), 136, '00000000001\0'));
  },
);
