// `verify IMAGES --metadata ARCHIVE` where one of the two cannot be compared: it never ends with 0.
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { foreignTar, type EntryHeader } from '../../support/archive/tar-blocks.js';
import { BackupFixture } from '../../support/backup-fixture.js';
import { expectFailure } from '../../support/failure.js';
import { runProgram } from '../../support/program.js';

let halves: BackupFixture;

beforeEach(() => void (halves = new BackupFixture()));
afterEach(() => halves[Symbol.dispose]());

describe('metadata is refused', () => {
  beforeEach(async () => {
    await halves.writeImages();
  });

  test('with 9 where it is cut short, altered, or not metadata', async () => {
    const metadata = await halves.writeMetadata();
    for (const harmed of [
      metadata.subarray(0, -1024),
      metadata.subarray(0, 3000),
      altered(metadata),
      Buffer.alloc(0),
    ]) {
      writeFileSync(halves.path('m.tar'), harmed);
      expectFailure(await halves.check(), 9, /m\.tar is invalid: /);
    }
    writeFileSync(halves.path('m.tar'), await halves.writeImages());
    expectFailure(await halves.check(), 9, /m\.tar holds images, not metadata/);
    writeFileSync(halves.path('i.tar'), metadata);
    writeFileSync(halves.path('m.tar'), metadata);
    expectFailure(await halves.check(), 9, /i\.tar holds no images: --metadata is for checking an image archive/);
  });

  test('with 9 where it has not the tables, or documents that cannot be read', async () => {
    const { blobs, ...others } = halves.rows;
    halves.rows = others as typeof halves.rows;
    await halves.writeMetadata();
    expectFailure(
      await halves.check(),
      9,
      /m\.tar cannot be compared: it does not hold dtr2\.blobs, which name the blobs/,
    );
    halves.rows = { blobs } as typeof halves.rows;
    await halves.writeMetadata();
    expectFailure(await halves.check(), 9, /does not hold dtr2\.manifests, dtr2\.tags/);
    halves.rows = { blobs: [...blobs, { id: 'a' }, { id: 'b' }], ...others };
    await halves.writeMetadata();
    expectFailure(await halves.check(), 9, /cannot be compared: rethink\/blobs\/0 has no sha256sum: .*, and 1 more/);
  });

  test('with 9 where it has no manifest, unless --allow-unproven is given', async () => {
    const documents = Object.entries(halves.rows).flatMap(([table, all]) =>
      all.map((row, index): [EntryHeader, string] => [
        { name: `dtr-backup-v2.9.4-online/rethink/${table}/${index}` },
        JSON.stringify(row),
      ]),
    );
    writeFileSync(halves.path('m.tar'), await foreignTar(documents));
    expectFailure(
      await halves.check(),
      9,
      /m\.tar has no manifest: completeness cannot be verified \(--allow-unproven/,
    );
    expect((await halves.check(['--allow-unproven'])).exitCode).toBe(0);
  });

  test('with 2 where it is not there, and where both archives would be stdin', async () => {
    expectFailure(await halves.check(), 2, /cannot read the archive from .*m\.tar: no such file/);
    expectFailure(await runProgram(['verify', '--metadata', '-']), 2, /only one of the archives can be stdin/);
    expectFailure(await halves.check(['--since', '-', '--since', '-']), 2, /only one of the archives can be stdin/);
    expectFailure(
      await runProgram(['verify', '--since', halves.path('i.tar'), '-']),
      2,
      /--since is only for --metadata/,
    );
  });
});

test('an image archive that is not whole is not compared', async () => {
  await halves.writeMetadata();
  const images = await halves.writeImages();
  writeFileSync(halves.path('i.tar'), images.subarray(0, -1024));
  const ended = await halves.check();
  expectFailure(ended, 9, /i\.tar is invalid: 1 finding/);
  expect(ended.stdout.toString()).not.toContain('fit');
});

function altered(archive: Buffer): Buffer {
  const copy = Buffer.from(archive);
  copy.write('aa-BASE', copy.indexOf('aa-base'));
  return copy;
}
