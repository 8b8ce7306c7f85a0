/** Archives made to do harm: every one is told in a line, nothing is written, nothing is held in memory. */
import { describe, expect, test } from '@jest/globals';
import { lines, makeArchive, sampleRoot, verifyBytes } from '../../support/archive/sample.js';
import { isFull } from '../../support/scale.js';
import {
  alterHeader,
  directoryHeader,
  foreignEntry,
  foreignTar,
  joinEntries,
  splitEntries,
  type EntryHeader,
} from '../../support/archive/tar-blocks.js';

/** The findings of an archive of ours with one entry more, before the manifest. */
async function findingsWith(header: EntryHeader, body = ''): Promise<string[]> {
  const { entries, rest } = splitEntries(await makeArchive());
  const end = entries.length - 1;
  const extra = await foreignEntry(header, body);
  const verdict = await verifyBytes(joinEntries([...entries.slice(0, end), extra, ...entries.slice(end)], rest));
  expect(verdict.state).toBe('invalid');
  return lines(verdict);
}

describe('an entry whose name', () => {
  test.each([
    ['../../etc/passwd', 'leads out of its directory (..)'],
    [`${sampleRoot}/rethink/tags/../../../x`, 'leads out of its directory (..)'],
    ['/etc/passwd', 'is an absolute path'],
    ['other/rethink/tags/0', `is outside ${sampleRoot}/`],
    [`${sampleRoot}//rethink/tags/3`, 'has an empty name in its path'],
    [`${sampleRoot}/certs/ca/../../x`, 'leads out of its directory (..)'],
  ])('is %s is refused', async (name, reason) => {
    expect(await findingsWith({ name }, 'x')).toContain(`${name}: ${reason}`);
  });

  test('has 2 MB is refused without being read on', async () => {
    const [finding = '', ...others] = await findingsWith({ name: `${sampleRoot}/${'x'.repeat(2_000_000)}` });
    expect(finding).toMatch(/^the archive: has an extended header of 20000\d\d bytes: nothing real needs more/);
    expect(others).toEqual([]);
  });

  test('has 60 kB is not printed whole', async () => {
    const [finding = ''] = await findingsWith({ name: `${sampleRoot}/${'x'.repeat(60_000)}` });
    expect(finding.length).toBeLessThan(400);
  });

  test('has control characters is printed without them', async () => {
    const name = `${sampleRoot}/\u001b[2Jgone\nINFO all is well\u202e`;
    expect((await findingsWith({ name })).join()).toContain('\\u001b[2Jgone\\u000aINFO all is well\\u202e');
  });
});

describe('an entry that is no file', () => {
  test.each([
    ['symlink', 'a symbolic link'],
    ['link', 'a hard link'],
    ['character-device', 'a character device'],
    ['block-device', 'a block device'],
    ['fifo', 'a FIFO'],
  ] as const)('but a %s is refused', async (type, words) => {
    const name = `${sampleRoot}/rethink/tags/3`;
    const found = await findingsWith({ name, type, linkname: '/etc/passwd', devmajor: 1, devminor: 1 });
    expect(found).toContain(`${name}: is ${words}; an archive has files and directories`);
  });

  test('but of an unknown type is refused', async () => {
    const altered = alterHeader(await makeArchive(), 0, 156, 'Z');
    expect(lines(await verifyBytes(altered)).join()).toContain('is of unknown type "Z"');
  });
});

describe('a PAX header', () => {
  const header = (pax: Record<string, string>): EntryHeader => ({
    name: `${sampleRoot}/rethink/tags/3`,
    mode: 0o600,
    pax,
  });

  test('with another size than the plain header is refused', async () => {
    expect((await findingsWith(header({ size: '1024' }), 'x')).length).toBeGreaterThan(0);
    expect((await findingsWith(header({ size: '99999999999999' }), 'x')).join()).toMatch(/beyond 134217728|cut short/);
    expect((await findingsWith(header({ size: '-1' }), 'x')).join()).toContain(
      'a size in its PAX header that is no number',
    );
  });

  test('with a path that leads out, or a second path, is refused', async () => {
    const name = '/étc/passwd';
    expect(await findingsWith({ name }, 'x')).toContain(`${name}: is an absolute path`);
    expect((await findingsWith(header({ path: name }), 'x')).join()).toContain('malformed PAX header');
  });

  test('before a document is refused, as documents have plain names', async () => {
    const found = await findingsWith(header({ comment: 'hello' }), 'x');
    expect(found.join()).toContain('tags/3: has a tar header that dtr-backup does not write');
  });

  test('of a sparse file is refused', async () => {
    expect((await findingsWith(header({ 'GNU.sparse.major': '1' }), 'x')).join()).toContain('is a sparse file');
  });

  test('with malformed records is refused', async () => {
    const body = '12 path=x\n';
    const tar = await foreignTar([[{ name: 'PaxHeader', type: 'file' }, body]]);
    expect(lines(await verifyBytes(alterHeader(tar, 0, 156, 'x')))).toEqual([
      'the archive: has a malformed PAX header before byte 1024: it is damaged there',
    ]);
  });
});

describe('sizes', () => {
  test('a document larger than RethinkDB takes is refused and not held', async () => {
    const archive = await makeArchive();
    const at = splitEntries(archive).entries.findIndex(({ name }) => name.endsWith('tags/0'));
    const offset = splitEntries(archive)
      .entries.slice(0, at)
      .reduce((total, { bytes }) => total + bytes.length, 0);
    const found = lines(await verifyBytes(alterHeader(archive, offset, 124, '77777777777\0')));
    expect(found).toEqual([
      `${sampleRoot}/rethink/tags/0: has 8589934591 bytes: RethinkDB takes no document beyond 134213632`,
      `the archive: ends in the middle of ${sampleRoot}/rethink/tags/0: it is cut short`,
    ]);
  });

  const whenFull = isFull ? test : test.skip;

  whenFull('more tables than any server has are refused', async () => {
    const tables = Array.from({ length: 50_100 }, (_, index) => directoryHeader(`r/rethink/t${index}/`));
    expect(lines(await verifyBytes(Buffer.concat([...tables, Buffer.alloc(1024)])))).toEqual([
      'the archive: has more than 50000 entries besides documents and changes',
    ]);
  });

  test('documents with members of many megabytes are read', async () => {
    const texts = [0, 1].map((id) => JSON.stringify({ id, text: 'x'.repeat(16_000_000) }));
    expect(lines(await verifyBytes(await makeArchive([{ name: 'tags', texts }])))).toEqual([]);
  });

  test('a document of two million nested arrays does no harm', async () => {
    const depth = 2_000_000;
    const texts = [`{"id":1,"a":${'['.repeat(depth)}${']'.repeat(depth)}}`];
    const verdict = await verifyBytes(await makeArchive([{ name: 'tags', texts }]));
    expect(['whole', 'invalid']).toContain(verdict.state);
  });
});

test.each([
  ['nothing', '', 'is too short for a tar'],
  ['a short text', 'hello', 'is too short for a tar'],
  ['a text', 'hello\n'.repeat(1000), 'is not a tar'],
  ['zeros', '\0'.repeat(10_240), 'holds no document: it is no backup of DTR'],
  ['gzip of nothing', '\u001f\u008b', 'is damaged gzip data: unexpected end of file'],
])('%s is no archive', async (_what, text, reason) => {
  const verdict = await verifyBytes(Buffer.from(text, 'latin1'));
  expect(verdict.state).toBe('invalid');
  expect(lines(verdict)).toEqual([`the archive: ${reason}`]);
});
