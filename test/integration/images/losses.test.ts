// `images` from a mounted storage whose images are not all there: what is lost is found, said, and never ends with 0.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Ended } from '../../support/command.js';
import { expectFailure, fatalLines } from '../../support/failure.js';
import { checkImages, sampleReplica } from '../../support/image-archive.js';
import { runProgram } from '../../support/program.js';
import { addBlob, addImage, blobPath, type RegistryImage } from '../../support/registry-tree.js';

const v2 = 'docker/registry/v2';
let directory: string;
let storage: string;
let images: readonly [RegistryImage, RegistryImage];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  storage = join(directory, 'storage');
  images = [addImage(storage, 'org/app0', 'latest'), addImage(storage, 'org/app1', '2.0')];
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = (...more: string[]) => {
  return runProgram(['images', '--registry-path', storage, '--existing-replica-id', sampleReplica, ...more]);
};

function lose(digest: string): void {
  rmSync(join(storage, dirname(blobPath(digest))), { recursive: true });
}

/** The archive is whole, and what it is short of is said. */
function expectLoss(ended: Ended, message: RegExp): void {
  expect(fatalLines(ended)).toEqual([expect.stringMatching(message)]);
  expect(ended.exitCode).toBe(8);
}

describe('blobs that repositories name and that the storage lacks', () => {
  test('are listed by images, verify and inspect; images ends with 8, or 0 with --allow-changed', async () => {
    const [first, second] = images;
    lose(first.manifest);
    lose(second.layer);
    writeFileSync(join(storage, second.tagLink), '');
    const { exitCode, stdout, stderr } = await run();
    expect(exitCode).toBe(8);
    const lines = [
      `${blobPath(first.manifest)} is missing: it is the manifest of org/app0:latest`,
      `${blobPath(second.layer)} is missing: the manifest sha256:${second.manifest} of org/app1 needs it`,
      `${second.tagLink} is empty: it names no blob`,
    ];
    for (const line of lines) expect(stderr).toContain(line);
    expect(fatalLines({ stderr })).toEqual([
      expect.stringContaining('is whole, but 3 that the registry needs are missing in it (--allow-changed accepts it)'),
    ]);
    expect((await checkImages(stdout)).manifest.references).toMatchObject({ missing: { count: 3 }, stale: 0 });
    const verdict = await runProgram(['verify'], { stdin: stdout });
    expect(verdict.exitCode).toBe(0);
    expect(verdict.stdout.toString()).toContain('\nbut 3 that the registry needs are missing in it\n');
    for (const line of lines) expect(verdict.stdout.toString()).toContain(line.replace(/ is /, ': is '));
    const shown = (await runProgram(['inspect'], { stdin: stdout })).stdout.toString();
    expect(shown).toMatch(/^missing +docker.*: is missing: it is the manifest of org\/app0:latest$/m);
    expect((await run('--allow-changed')).exitCode).toBe(0);
  });

  test('are no loss where only links of layers are left, as after garbage collection', async () => {
    const layers = join(storage, v2, 'repositories/org/app0/_layers/sha256', 'a'.repeat(64));
    mkdirSync(layers, { recursive: true });
    writeFileSync(join(layers, 'link'), `sha256:${'a'.repeat(64)}`);
    const { exitCode, stdout, stderr } = await run();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('no image needs them') });
    const missing = { count: 0, first: [] };
    expect((await checkImages(stdout)).manifest.references).toEqual({ missing, stale: 1, uncompared: 0 });
    const shown = (await runProgram(['inspect'], { stdin: stdout })).stdout.toString();
    expect(shown).toMatch(/^stale links +1 blobs that no image needs$/m);
  });

  test('make the run end with 5, without a file, where not one is there, also with --allow-changed', async () => {
    rmSync(join(storage, v2, 'blobs'), { recursive: true });
    mkdirSync(join(storage, v2, 'blobs'));
    const output = join(directory, 'i.tar');
    expectFailure(await run('--allow-changed', '--output', output), 5, /holds none of the blobs that its repositor/);
    expect(existsSync(output)).toBe(false);
  });

  test('are not counted where the storage keeps blobs by id, and a line says so', async () => {
    rmSync(join(storage, v2, 'blobs'), { recursive: true });
    mkdirSync(join(storage, v2, 'blobs/id/ab/abcdef'), { recursive: true });
    writeFileSync(join(storage, v2, 'blobs/id/ab/abcdef/data'), 'content');
    const { exitCode, stderr } = await run();
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringContaining('Cannot tell whether 2 blobs that the rep'),
    });
  });

  test('are looked for in the archives of --since, with what the manifests there need', async () => {
    const earlier = join(directory, 'earlier.tar');
    expect((await run('--output', earlier)).exitCode).toBe(0);
    lose(images[0].layer);
    const held = await run('--since', earlier);
    // The layer is in the earlier archive: both together are whole.
    expect(held.exitCode).toBe(0);
    expect((await checkImages(held.stdout)).manifest).toMatchObject({
      heldBefore: { count: 5 },
      references: { stale: 0 },
    });
    expect((await runProgram(['verify'], { stdin: held.stdout })).stdout.toString()).not.toContain('missing');
    const without = join(directory, 'without.tar');
    expect((await run('--allow-changed', '--output', without)).exitCode).toBe(0);
    expectLoss(await run('--since', without), /but 1 that the registry needs are missing in it/);
  });
});

describe('a registry that is not all in the storage', () => {
  test.each(['docker', 'docker/registry', v2, `${v2}/blobs`, `${v2}/repositories`])(
    'behind %s, a symbolic link, ends with 5 and the remedy',
    async (linked) => {
      renameSync(join(storage, linked), join(directory, 'moved'));
      symlinkSync(join(directory, 'moved'), join(storage, linked));
      expectFailure(await run(), 5, new RegExp(`${linked} of .* is a symbolic link to /.*moved: .*mount its target`));
    },
  );

  test('ends with 8 where a repository is a symbolic link out of the storage', async () => {
    renameSync(join(storage, v2, 'repositories/org'), join(directory, 'moved'));
    symlinkSync(join(directory, 'moved'), join(storage, v2, 'repositories/org'));
    expectLoss(await run(), /but 2 that the registry needs are missing/);
  });

  test('ends with 5 where an empty mount point is in its place', async () => {
    rmSync(join(storage, v2), { recursive: true });
    mkdirSync(join(storage, v2));
    expectFailure(await run(), 5, /holds no image \(neither blobs nor repositories in docker\/registry\/v2\)/);
  });

  test('ends with 8 where it has blobs and no repositories, with 0 where it has neither', async () => {
    rmSync(join(storage, v2, 'repositories'), { recursive: true });
    mkdirSync(join(storage, v2, 'repositories'));
    const lost = await run();
    expect(lost.stderr).toContain(`${v2}/repositories names none of the blobs: is it mounted?`);
    expectLoss(lost, /but 1 that the registry needs/);
    rmSync(join(storage, v2, 'blobs'), { recursive: true });
    const fresh = await run();
    expect(fresh).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('The registry holds no image') as unknown,
    });
  });
});

test('repositories that may not be listed end with 2, and no archive', async () => {
  chmodSync(join(storage, v2, 'repositories'), 0o300);
  // As root, but held to the permissions that it has like anybody else: the program itself may lie where only root reads.
  const isRoot = process.getuid?.() === 0;
  const wrapper = isRoot ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : [];
  const flags = ['images', '--registry-path', storage, '--existing-replica-id', sampleReplica];
  expectFailure(await runProgram(flags, { wrapper }), 2, /may not read .*repositories: run the job as root/);
  chmodSync(join(storage, v2, 'repositories'), 0o700);
});

describe('what does not fit an archive', () => {
  test('a directory without permissions takes what is in it with it, and a device is left out', async () => {
    mkdirSync(join(storage, 'shut/inner'), { recursive: true });
    chmodSync(join(storage, 'shut'), 0);
    if (process.getuid?.() === 0) execFileSync('mknod', [join(storage, 'null'), 'c', '1', '3']);
    const { exitCode, stdout, stderr } = await run();
    chmodSync(join(storage, 'shut'), 0o700);
    expect(exitCode).toBe(8);
    expect(fatalLines({ stderr })).toEqual([expect.stringContaining('1 were left out')]);
    if (process.getuid?.() === 0) expect(stderr).toContain('Left out: null (is a socket, a device or a FIFO)');
    expect((await runProgram(['verify'], { stdin: stdout })).exitCode).toBe(0);
  });

  test('a blob with another name is written again with --since, so that its link leads to it', async () => {
    const blob = addBlob(storage, Buffer.from('shared'));
    linkSync(join(storage, blobPath(blob)), join(storage, 'a-copy'));
    const earlier = join(directory, 'earlier.tar');
    expect((await run('--output', earlier)).exitCode).toBe(0);
    const { exitCode, stdout } = await run('--since', earlier);
    expect(exitCode).toBe(0);
    expect((await runProgram(['verify'], { stdin: stdout })).exitCode).toBe(0);
    execFileSync('tar', ['-xf', '-', '-C', directory], { input: stdout });
    expect(readFileSync(join(directory, `dtr-registry-${sampleReplica}/_data/a-copy`), 'utf8')).toBe('shared');
  });
});
