// Image content on a real engine: out through the replica's container or a mount, and back with the documented tar line.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documented, dockerRun, output, shell, world } from './environment.js';

const { image, replicaId } = world;
const volume = `dtr-registry-${replicaId}`;
const restored = 'dtr-backup-test-restored';
const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-e2e-'));
const file = join(directory, 'dtr-image-backup.tar');
const mounted = `docker run --log-driver none -i --rm --user 0 --volume ${volume}:/registry:ro`;

beforeAll(async () => {
  const fill = 'node build/test/e2e/world/fill-registry.js';
  await output(`docker run --rm --volume ${volume}:/storage dtr-backup-test-world ${fill}`);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await output(`docker volume rm --force ${restored}`);
});

/** Every name with its type, owner, mode, time, link and content. `time` is what stat is asked for. */
async function treeOf(name: string, time: string): Promise<string> {
  const list = `find . -exec stat --format "%N %f %u %g %h ${time}" {} + | sort; find . -type f -exec sha256sum {} + | sort`;
  return output(`docker run --rm --user 0 --volume ${name}:/v:ro --workdir /v --entrypoint bash ${image} -c '${list}'`);
}

/** The documented line, with a fresh volume where the replica's is. */
async function unpack(archives: readonly string[]): Promise<void> {
  await output(`docker volume rm --force ${restored}`);
  const volumes = `--volume ${restored}:/var/lib/docker/volumes/${volume}/_data`;
  for (const archive of archives) {
    const tar = `--entrypoint tar ${image} -xf - -C /var/lib/docker/volumes`;
    await output(`docker run -i --rm --user 0 ${volumes} ${tar} < ${archive}`);
  }
}

async function run(line: string): Promise<string> {
  const { exitCode, stderr } = await shell(line).ended();
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stderr;
}

const verify = (path: string): Promise<string> => output(`docker run -i --rm ${image} verify - < ${path}`);

describe('images', () => {
  test('through the replica’s container, unpacked again: the same tree, in whole seconds', async () => {
    const stderr = await run(`${dockerRun} ${image} images ${documented} > ${file}`);
    expect(stderr).toContain(`Plan: ${volume}/_data/ from volume ${volume}`);
    expect(await verify(file)).toMatch(
      /^dtr-registry-\w+\/: whole and unaltered: 10,\d+ files, 100\.\d MB, 5,001 blobs/,
    );
    await unpack([file]);
    expect(await treeOf(restored, '%Y')).toBe(await treeOf(volume, '%Y'));
  });

  test('from a mount, without UCP: the same tree to the nanosecond', async () => {
    const path = join(directory, 'mounted.tar');
    await run(`${mounted} ${image} images --existing-replica-id ${replicaId} > ${path}`);
    expect(await verify(path)).toContain('whole and unaltered');
    await unpack([path]);
    expect(await treeOf(restored, '%.9Y')).toBe(await treeOf(volume, '%.9Y'));
  });

  test('since an earlier archive: without its blobs, and both together give the same tree', async () => {
    const path = join(directory, 'since.tar');
    const earlier = `--volume ${file}:/earlier.tar:ro`;
    const stderr = await run(
      `${dockerRun} --user 0 ${earlier} ${image} images ${documented} --since /earlier.tar > ${path}`,
    );
    expect(stderr).toContain('Verified /earlier.tar: 5,001 blobs are held');
    expect(await verify(path)).toContain('5,001 blobs, 100.1 MB, are in the archives it was made --since');
    expect(statSync(path).size).toBeLessThan(statSync(file).size / 2);
    await unpack([file, path]);
    expect(await treeOf(restored, '%Y')).toBe(await treeOf(volume, '%Y'));
  });

  test('a mount that the job’s user may not read ends with 2 and what to do', async () => {
    const line = `docker run -i --rm --volume ${volume}:/registry:ro ${image} images --existing-replica-id ${replicaId}`;
    const { exitCode, stderr } = await shell(`${line} > /dev/null`).ended();
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('--user 0') });
  });
});
