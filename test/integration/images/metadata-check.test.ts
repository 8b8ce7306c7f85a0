// `verify IMAGES --metadata ARCHIVE`: whether the two halves of a backup fit, from real storage and whole metadata archives.
import { linkSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { passphrase, wrapBytes } from '../../support/archive/wrapped.js';
import { BackupFixture, fitLinesOf, one, three, two } from '../../support/backup-fixture.js';
import { expectFailure } from '../../support/failure.js';
import { runProgram } from '../../support/program.js';
import { addBlob, addBlobById, blobIdPath, blobPath } from '../../support/registry-tree.js';

let halves: BackupFixture;

beforeEach(() => void (halves = new BackupFixture()));
afterEach(() => halves[Symbol.dispose]());

describe('halves that fit', () => {
  test.each(['reql', 'dtr'] as const)('end with 0 and the counts, with metadata in encoding %s', async (encoding) => {
    await halves.writeMetadata({ alterPlan: (plan) => ({ ...plan, documentEncoding: encoding }) });
    await halves.writeImages();
    const ended = await halves.check();
    expect(ended.exitCode).toBe(0);
    const fits = 'fits the metadata: all that it names is there and unaltered: 3 tags, 3 manifests, 3 blobs';
    expect(fitLinesOf(ended)).toEqual([fits]);
    const json = JSON.parse((await halves.check(['--json'])).stdout.toString()) as unknown;
    expect(json).toMatchObject({
      kind: 'images',
      state: 'whole',
      metadata: {
        tags: 3,
        affectedTags: 0,
        manifests: 3,
        blobs: { count: 3, missing: 0, corrupt: 0 },
        uncompared: 0,
        unnamed: 0,
        misfits: { count: 0, first: [] },
      },
    });
  });

  test('may hold blobs that nothing names, lists, and foreign layers', async () => {
    addBlobById(halves.storage, 'ee-extra', Buffer.from('extra'));
    addBlob(halves.storage, Buffer.from('extra, too'));
    const gone = { digest: `sha256:${'8'.repeat(64)}` };
    halves.rows.manifests.push({ pk: 'l', repository: 'org/list', digest: `sha256:${'7'.repeat(64)}`, layers: null });
    halves.rows.manifests.push({
      pk: 'w',
      repository: 'org/win',
      digest: two,
      layers: [{ ...gone, urls: ['https://x/'] }],
    });
    await halves.writeMetadata();
    await halves.writeImages();
    const ended = await halves.check();
    expect(ended.exitCode).toBe(0);
    expect(fitLinesOf(ended)[1]).toBe('2 blobs are there that the metadata does not name');
  });

  test('fit after the changes of a snapshot, not as its rows were', async () => {
    const [, second] = halves.rows.blobs;
    const added = { id: 'dd-new', sha256sum: `sha256:${addBlobById(halves.storage, 'dd-new', Buffer.from('new'))}` };
    const stale = { id: 'ff-stale', sha256sum: `sha256:${'e'.repeat(64)}` };
    halves.rows.blobs.push(stale);
    const changes = [
      { type: 'remove', old_val: stale, new_val: null },
      { type: 'add', old_val: null, new_val: added },
      { type: 'change', old_val: second, new_val: { ...second, mediaType: 'c/d' } },
    ];
    await halves.writeMetadata({}, { blobs: changes });
    await halves.writeImages();
    expect(await halves.check()).toMatchObject({ exitCode: 0 });
    halves.remove(blobIdPath('dd-new'));
    await halves.writeImages();
    expect((await halves.check()).exitCode).toBe(9);
  });

  test('fit where a manifest is a blob of its own, as in registries before DTR 2.1', async () => {
    const digest = `sha256:${addBlob(halves.storage, Buffer.from('{"schemaVersion":2}'))}`;
    halves.rows.tags.push({ pk: 'old', repository: 'org/old', name: '1', digest });
    await halves.writeMetadata();
    await halves.writeImages();
    expect((await halves.check()).exitCode).toBe(0);
    halves.rows.manifests.push({ pk: 'old', repository: 'org/old', digest, layers: [{ digest: halves.layer }] });
    await halves.writeMetadata();
    expect((await halves.check()).exitCode).toBe(0);
    writeFileSync(join(halves.storage, blobPath(digest.slice('sha256:'.length))), '{}');
    await halves.writeImages();
    const ended = await halves.check();
    expectFailure(ended, 9, /1 are corrupt \(1 of 4 tags\)/);
    expect(fitLinesOf(ended).join('\n')).toContain(`org/old:1: ${digest} has the SHA-256 44136fa3`);
  });

  test('fit where one file is a blob of both kinds, by a hard link', async () => {
    const byId = join(halves.storage, blobIdPath('1234'));
    mkdirSync(dirname(byId), { recursive: true });
    linkSync(join(halves.storage, blobPath(halves.layer.slice('sha256:'.length))), byId);
    const row = { id: '1234', sha256sum: halves.layer };
    halves.rows.blobs.push(row);
    await halves.writeMetadata();
    await halves.writeImages();
    expect((await halves.check()).exitCode).toBe(0);
    row.sha256sum = halves.base;
    await halves.writeMetadata();
    expectFailure(await halves.check(), 9, /1 are corrupt/);
  });

  test('are read from streams, encrypted and compressed, with the same keys', async () => {
    const env = { BACKUP_PASSPHRASE: passphrase.reveal() };
    const wrapping = { compression: 'gzip', encryption: { passphrase } } as const;
    writeFileSync(halves.path('m.tar'), await wrapBytes(await halves.writeMetadata(), wrapping));
    const images = await halves.writeImages();
    const wrapped = await wrapBytes(images, wrapping);
    writeFileSync(halves.path('i.tar'), wrapped);
    expect((await halves.check([], { env })).exitCode).toBe(0);
    expect((await runProgram(['verify', '--metadata', halves.path('m.tar')], { env, stdin: wrapped })).exitCode).toBe(
      0,
    );
    const metadata = gzipSync(await halves.writeMetadata());
    expect(
      (await runProgram(['verify', halves.path('i.tar'), '--metadata', '-'], { env, stdin: metadata })).exitCode,
    ).toBe(0);
    expectFailure(await halves.check(), 2, /passphrase/i);
  });
});

describe('halves that do not fit end with 9', () => {
  test('and list what is missing by repository and tag', async () => {
    for (const gone of [blobIdPath('aa-base'), blobPath(halves.layer.slice('sha256:'.length))]) halves.remove(gone);
    await halves.writeMetadata();
    await halves.writeImages();
    const ended = await halves.check();
    expectFailure(ended, 9, /i\.tar does not fit .*m\.tar: 2 blobs are missing \(3 of 3 tags\)/);
    const missingBase = `${halves.base} is missing: ${blobIdPath('aa-base')}`;
    const missingLayer = `${halves.layer} is missing, and no id is known for it: ${blobPath(halves.layer.slice('sha256:'.length))}`;
    expect(fitLinesOf(ended)).toEqual([
      'does not fit the metadata, which names 3 tags, 3 manifests, 3 blobs: 2 blobs are missing, 0 corrupt, 3 tags are affected',
      `org/app:1: ${missingBase}`,
      `org/app:1: ${missingLayer}`,
      `org/app:latest: ${missingBase}`,
      `org/app:latest: ${missingLayer}`,
      `org/other:2.0: ${missingBase}`,
      `org/other@${three}: ${missingLayer}`,
    ]);
  });

  test('and list what is corrupt, by id and by digest, of either size', async () => {
    writeFileSync(join(halves.storage, blobIdPath('aa-base')), 'x'.repeat(300_000));
    writeFileSync(join(halves.storage, blobIdPath('cc-config')), '');
    writeFileSync(join(halves.storage, blobPath(halves.layer.slice('sha256:'.length))), 'rotten');
    await halves.writeMetadata();
    await halves.writeImages();
    const ended = await halves.check(['--json']);
    expectFailure(ended, 9, /does not fit .*: 3 are corrupt \(3 of 3 tags\)/);
    const { metadata } = JSON.parse(ended.stdout.toString()) as { metadata: { misfits: { first: unknown[] } } };
    expect(metadata).toMatchObject({ blobs: { count: 3, missing: 0, corrupt: 3 }, misfits: { count: 10 } });
    expect(metadata.misfits.first[0]).toEqual({
      place: 'org/app:1',
      digest: halves.config,
      kind: 'corrupt',
      path: blobIdPath('cc-config'),
      why: 'has the SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    });
  });

  test('with a blob that no manifest needs, a tag without a manifest, and a blob whose id the metadata does not know', async () => {
    const [lost, untagged] = [`sha256:${'5'.repeat(64)}`, `sha256:${'6'.repeat(64)}`];
    halves.rows.blobs.push({ id: 'lost', sha256sum: lost });
    halves.rows.tags.push({ pk: 'x', repository: 'org/app', name: '\u001b[2Jx', digest: untagged });
    halves.rows.blobs.splice(0, 1);
    await halves.writeMetadata();
    await halves.writeImages();
    const ended = await halves.check();
    expectFailure(ended, 9, /: 3 blobs are missing \(4 of 4 tags\)/);
    const lines = fitLinesOf(ended);
    expect(lines).toContain('1 blobs are there that the metadata does not name');
    expect(lines).toContain(`(no manifest): ${lost} is missing: ${blobIdPath('lost')}`);
    expect(lines.join('\n')).toContain(`org/app:\\u001b[2Jx: ${untagged} is missing`);
    expect(lines.join('\n')).toContain(`org/app:1: ${halves.base} is missing, and no id is known for it`);
  });

  test('and list the first hundred of many', async () => {
    halves.remove(blobIdPath('aa-base'));
    for (let index = 0; index < 150; index += 1)
      halves.rows.tags.push({ pk: `${index}`, repository: 'org/app', name: `n${index}`, digest: one });
    await halves.writeMetadata();
    await halves.writeImages();
    const lines = fitLinesOf(await halves.check());
    expect(lines).toHaveLength(102);
    expect(lines.at(-1)).toBe('and 53 more');
  });
});

describe('an image archive made --since', () => {
  test('fits together with the archives that hold the others, and says where they are not given', async () => {
    await halves.writeMetadata();
    writeFileSync(halves.path('earlier.tar'), await halves.writeImages());
    halves.rows.blobs.push({
      id: 'dd-new',
      sha256sum: `sha256:${addBlobById(halves.storage, 'dd-new', Buffer.from('new'))}`,
    });
    await halves.writeMetadata();
    await halves.writeImages('--since', halves.path('earlier.tar'));
    expect((await halves.check(['--since', halves.path('earlier.tar')])).exitCode).toBe(0);
    const alone = await halves.check();
    expectFailure(alone, 9, /3 blobs are missing/);
    expect(alone.stderr).toContain('was made --since 1 that are not given');
    truncateSync(halves.path('earlier.tar'), 10_000);
    expectFailure(await halves.check(['--since', halves.path('earlier.tar')]), 9, /earlier\.tar is invalid/);
  });

  test('fits with the later of two contents of a blob', async () => {
    writeFileSync(join(halves.storage, blobIdPath('cc-config')), '{"os":"LINUX"}');
    writeFileSync(halves.path('earlier.tar'), await halves.writeImages());
    addBlobById(halves.storage, 'cc-config', Buffer.from('{"os":"linux"}'));
    await halves.writeMetadata();
    await halves.writeImages('--since', halves.path('earlier.tar'));
    expect((await halves.check(['--since', halves.path('earlier.tar')])).exitCode).toBe(0);
  });
});
