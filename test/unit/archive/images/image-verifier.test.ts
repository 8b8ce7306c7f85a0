// Image archives, whole and altered in every way: nothing that was altered passes for whole.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ImageManifest } from '#src/model/image-manifest.js';
import { archiveDirectory, sampleImageRoot, verifyImageBytes } from '../../../support/image-archive.js';
import { foreignEntry, type EntryHeader } from '../../../support/archive/tar-blocks.js';
import { addBlob, addImage, blobPath, fillRegistryTree } from '../../../support/registry-tree.js';
import { scaled } from '../../../support/scale.js';

let directory: string;
let archive: Buffer;
let corrupt: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  fillRegistryTree(directory, { smallBlobs: 2, largeBlobBytes: 1500 });
  rmSync(join(directory, dirname(blobPath(addImage(directory, 'org/app', '1').layer))), { recursive: true });
  corrupt = blobPath(addBlob(directory, Buffer.from('good')));
  writeFileSync(join(directory, corrupt), 'evil');
  archive = await archiveDirectory(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

test('an index that is pushed as a layer of an image needs none of what it lists', async () => {
  const storage = join(directory, 'storage-of-artifacts');
  const absent = (fill: string): object => ({ digest: `sha256:${fill.repeat(64)}` });
  const index = addBlob(storage, Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [absent('1')] })));
  const other = addBlob(storage, Buffer.from(JSON.stringify({ config: absent('2'), layers: [absent('3')] })));
  const [config, layer] = [other, index].map((digest) => ({ digest: `sha256:${digest}` }));
  const artifact = addBlob(storage, Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [layer] })));
  const tag = join(storage, 'docker/registry/v2/repositories/org/artifact/_manifests/tags/1/current');
  mkdirSync(tag, { recursive: true });
  const linkTo = async (digest: string): Promise<number> => {
    writeFileSync(join(tag, 'link'), `sha256:${digest}`);
    const { state, references } = await verifyImageBytes(await archiveDirectory(storage));
    expect(state).toBe('whole');
    return references.missing.count;
  };
  try {
    expect(await linkTo(artifact)).toBe(0);
    expect(await linkTo(index)).toBe(1);
    expect(await linkTo(other)).toBe(2);
  } finally {
    rmSync(storage, { recursive: true });
  }
});

describe('an image archive', () => {
  test.each([scaled(7, 1), 511, 512, 65_536])('is whole, coming in chunks of %d bytes', async (chunkBytes) => {
    const verdict = await verifyImageBytes(archive, chunkBytes);
    expect(verdict).toMatchObject({ state: 'whole', findings: [], blobs: { count: 6 }, manifest: { kind: 'images' } });
    expect(verdict.corrupt).toMatchObject({ count: 1, first: [{ path: corrupt }] });
    expect(verdict.references).toMatchObject({ missing: { count: 1 }, stale: 0 });
  });

  test('is not whole with a byte altered, wherever it stands in a block', async () => {
    const passed: number[] = [];
    // Not all of them, which take minutes: the steps have no common factor with 512, so each place in a block has its turn.
    for (let at = 0; at < archive.length; at += scaled(1021, 37)) {
      const altered = Buffer.from(archive);
      altered[at] = (altered[at] ?? 0) ^ 0x01;
      if ((await verifyImageBytes(altered)).state === 'whole') passed.push(at);
    }
    expect(passed).toEqual([]);
  });

  test('is not whole with a blank for the first digit of a checksum, which no sum shows', async () => {
    const passed: number[] = [];
    let headers = 0;
    for (let at = 0; at < archive.length; at += 512) {
      if (archive.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
      headers += 1;
      if (headers % scaled(5, 1) !== 0) continue;
      const altered = Buffer.from(archive);
      altered[at + 148] = (altered[at + 148] ?? 0) ^ 0x10;
      if ((await verifyImageBytes(altered)).state === 'whole') passed.push(at);
    }
    expect(headers).toBeGreaterThan(50);
    expect(passed).toEqual([]);
  });

  test('is not whole when cut anywhere, between two entries as well', async () => {
    const passed: number[] = [];
    for (let length = 0; length < archive.length; length += scaled(3840, 256)) {
      if ((await verifyImageBytes(archive.subarray(0, length))).state === 'whole') passed.push(length);
    }
    expect(passed).toEqual([]);
  });

  test('is not whole with end blocks put where it was cut', async () => {
    const cut = archive.subarray(0, archive.indexOf(`${sampleImageRoot}/dtr-image-backup.json`));
    const { findings } = await verifyImageBytes(Buffer.concat([cut, Buffer.alloc(1024)]));
    expect(findings).toEqual([{ reason: 'has no manifest: it is not whole' }]);
  });

  test('is not whole with anything after its end', async () => {
    const { state } = await verifyImageBytes(Buffer.concat([archive, Buffer.alloc(512)]));
    expect(state).toBe('invalid');
  });

  test.each([
    ['outside the volume', { name: `${sampleImageRoot}/_data/../x` }, 'is outside the volume'],
    ['of another root', { name: 'dtr-registry-ffffffffffff/_data/x' }, 'is outside the volume'],
    ['absolute', { name: '/etc/passwd' }, 'is outside the volume'],
    [
      'that links out',
      { name: `${sampleImageRoot}/_data/l`, type: 'link' as const, linkname: '/etc/passwd' },
      'links out of the volume',
    ],
    ['that is a device', { name: `${sampleImageRoot}/_data/d`, type: 'fifo' as const }, 'is not a file, directory'],
    ['with an owner’s name', { name: `${sampleImageRoot}/_data/u`, uname: 'root' }, 'that dtr-backup does not write'],
    ...[
      ...['uname', 'gname', 'atime', 'ctime', 'comment', 'SCHILY.acl.access', 'SCHILY.fflags', 'SCHILY.dev'],
      ...['RHT.security.selinux', 'LIBARCHIVE.xattr.user.a', 'LIBARCHIVE.creationtime'],
    ].map(
      (key) =>
        [
          `with a record ${key}`,
          { name: `${sampleImageRoot}/_data/u`, pax: { [key]: '1' } },
          'that dtr-backup does not write',
        ] as const,
    ),
    ...['0x10', '1e3', '-5', '+5', '010', ' 5', '5.0'].flatMap((number) =>
      (['uid', 'gid'] as const).map(
        (key) =>
          [
            `with the ${key} ${number}`,
            { name: `${sampleImageRoot}/_data/u`, pax: { [key]: number } },
            'that dtr-backup does not write',
          ] as const,
      ),
    ),
  ])('is not whole with an entry %s', async (_what, header, reason) => {
    const { bytes } = await foreignEntry(header);
    const { state, findings } = await verifyImageBytes(Buffer.concat([bytes, archive]));
    expect(state).toBe('invalid');
    expect(findings[0]).toMatchObject({ entry: header.name, reason: expect.stringContaining(reason) as unknown });
  });

  const at = `${sampleImageRoot}/_data/`;
  const link = (path: string, to: string) => ({ name: at + path, type: 'link' as const, linkname: at + to });
  const odd = 'docker/registry/v2/repositories/odd';

  // What `tar -x` refuses, or makes something else of.
  test.each<[string, EntryHeader, string]>([
    ['a hard link to nothing', link('h', 'nowhere'), 'is a hard link to something that does not precede it'],
    ['a hard link to a directory', link('h', 'docker'), 'is a hard link to a directory'],
    ['a file below a symbolic link', { name: `${at}far/x` }, 'is below something that is not a directory'],
    ['a file below a file', { name: `${at}${odd}/empty/x` }, 'is below something that is not a directory'],
    ['a path that stands there before', { name: `${at}${odd}/empty` }, 'occurs twice'],
    ['a directory that stands there before', { name: `${at}docker/`, type: 'directory' }, 'occurs twice'],
    ['a file without its directory', { name: `${at}no/dir` }, 'is in a directory that does not precede it'],
    ['a dot in its name', { name: `${at}./a` }, 'is outside the volume'],
    [
      'a link in the registry’s place',
      { name: `${at}docker/registry/v2/blobs`, type: 'symlink', linkname: '/mnt' },
      'is not a directory, and the images should be below it',
    ],
    [
      'a sparse file of ten terabytes',
      {
        name: `${at}s`,
        pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10000000000000' },
      },
      'is a sparse file: these are not supported, use tar without -S',
    ],
  ])('is not whole with %s', async (_what, header, reason) => {
    const { bytes } = await foreignEntry(header);
    const end = archive.indexOf(`${sampleImageRoot}/dtr-image-backup.json`);
    const altered = Buffer.concat([archive.subarray(0, end), bytes, archive.subarray(end)]);
    const { state, findings } = await verifyImageBytes(altered);
    expect(state).toBe('invalid');
    expect(findings).toContainEqual({ entry: expect.stringContaining(at) as unknown, reason });
  });

  test.each<[string, (manifest: ImageManifest) => ImageManifest, string]>([
    ['of another replica', (it) => ({ ...it, replicaId: 'ffffffffffff' }), 'has a manifest of another replica'],
    ['with more files', (it) => ({ ...it, files: { ...it.files, count: 99 } }), 'files of'],
    ['with larger blobs', (it) => ({ ...it, blobs: { ...it.blobs, bytes: 1 } }), 'blobs of'],
    ['with more directories', (it) => ({ ...it, directories: 99 }), 'another number of directories or links'],
    ['with more entries', (it) => ({ ...it, entries: { ...it.entries, count: 99 } }), 'another number of entries'],
    [
      'with nothing missing',
      (it) => ({ ...it, references: { missing: { count: 0, first: [] }, stale: 0, uncompared: 0 } }),
      'misses other blobs',
    ],
    [
      'with blobs by id',
      (it) => ({ ...it, blobsById: { count: 1, bytes: 1 } }),
      'has 0 blobs by id of 0 bytes, not 1 of 1',
    ],
    ['without corrupt blobs', (it) => ({ ...it, corrupt: { count: 0, first: [] } }), 'which does not match its name'],
  ])('is not whole with a manifest %s, though its checksum is right', async (_what, alter, reason) => {
    const { state, findings } = await verifyImageBytes(await archiveDirectory(directory, alter));
    expect(state).toBe('invalid');
    expect(findings.map((finding) => finding.reason).join()).toContain(reason);
  });

  test('is not whole with an entry after its manifest', async () => {
    const { bytes } = await foreignEntry({ name: `${sampleImageRoot}/_data/late` });
    const { findings } = await verifyImageBytes(Buffer.concat([archive.subarray(0, -1024), bytes, Buffer.alloc(1024)]));
    expect(findings).toContainEqual({ entry: `${sampleImageRoot}/_data/late`, reason: 'follows the manifest' });
  });

  test('is not whole with a manifest that is not one, or has a header that is not ours', async () => {
    const name = `${sampleImageRoot}/dtr-image-backup.json`;
    const { bytes } = await foreignEntry({ name, uname: 'root' }, '{}');
    const { state, findings } = await verifyImageBytes(Buffer.concat([bytes, Buffer.alloc(1024)]));
    expect(state).toBe('invalid');
    expect(findings[0]).toEqual({ entry: name, reason: 'has a tar header that dtr-backup does not write' });
    expect(findings[1]).toMatchObject({ entry: name });
  });

  test('names the blob whose content was altered', async () => {
    const altered = Buffer.from(archive);
    altered.write('{"layer":7}', archive.indexOf('{"layer":1}'));
    const { findings } = await verifyImageBytes(altered);
    expect(findings[0]?.entry).toMatch(/blobs\/sha256\/\w\w\/\w+\/data$/);
    expect(findings[0]?.reason).toContain('which does not match its name');
  });
});
