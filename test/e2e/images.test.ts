// Image content on a real engine and a real registry: pushed by docker, out through the replica's container or a mount,
// back with the documented tar line, and pulled again.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.js';
import { documented, dockerRun, output, shell, world } from './environment.js';
import { Registry } from './world/registry.js';

const { image, replicaId } = world;
const volume = `dtr-registry-${replicaId}`;
const restored = 'dtr-backup-test-restored';
const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-e2e-'));
const file = join(directory, 'dtr-image-backup.tar');
const mounted = `docker run --log-driver none -i --rm --user 0 --volume ${volume}:/registry:ro`;
const worldImage = 'dtr-backup-test-world';
let noise: string;

beforeAll(async () => {
  noise = await push('admin/large:1', 100_000_000);
  const many = 'node build/test/e2e/world/push-images.js 50 100';
  await output(`docker run --rm --network dtr-ol --env DTR_REPLICA_ID=${replicaId} ${worldImage} ${many}`);
  const odd = 'node build/test/e2e/world/add-odd-files.js';
  await output(`docker run --rm --volume ${volume}:/storage ${worldImage} ${odd}`);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await output(`docker volume rm --force ${restored}`);
});

/** HOST:PORT of a registry's container, from this machine and for its engine, which trusts this host without TLS. */
async function addressOf(container: string): Promise<string> {
  return `127.0.0.1:${/\d+$/m.exec(await output(`docker port ${container} 5000`))?.[0] ?? ''}`;
}

/** Builds an image with a layer that compresses nothing, pushes it and forgets it; gives the checksum of that layer's file. */
async function push(name: string, bytes: number): Promise<string> {
  const tag = `${await addressOf(volume)}/${name}`;
  const dockerfile = `FROM ${image}\\nUSER root\\nRUN head -c ${bytes} /dev/urandom > /noise`;
  await output(`printf '${dockerfile}' | docker build --no-cache --network none --tag ${tag} -`);
  const checksum = await checksumIn(tag);
  await output(`docker push ${tag} && docker image rm ${tag}`);
  return checksum;
}

const checksumIn = (tag: string): Promise<string> => output(`docker run --rm --entrypoint sha256sum ${tag} /noise`);

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

/** What verify says of the blobs in an archive. */
async function countBlobs(path: string): Promise<number> {
  const [, count = ''] = /^dtr-registry-\w+\/: whole and unaltered: [\d,]+ files, [\d.]+ MB, ([\d,]+) blobs/.exec(
    await verify(path),
  ) ?? [''];
  return Number(count.replaceAll(',', ''));
}

describe('images', () => {
  test('through the replica’s container, unpacked again: the same tree, in whole seconds', async () => {
    const stderr = await run(`${dockerRun} ${image} images ${documented} > ${file}`);
    expect(stderr).toContain(`Plan: ${volume}/_data/ from volume ${volume}`);
    // A layer, a configuration and a manifest make an image; the base image's layers come with the large one.
    expect(await countBlobs(file)).toBeGreaterThan(50 * 102);
    await unpack([file]);
    expect(await treeOf(restored, '%Y')).toBe(await treeOf(volume, '%Y'));
  });

  test('and a registry on what was unpacked gives the image again', async () => {
    const name = 'dtr-backup-test-registry';
    const serve = `${worldImage} docker-registry serve registry.yml`;
    await output(`docker run --detach --rm --name ${name} --publish 5000 --volume ${restored}:/storage ${serve}`);
    try {
      const tag = `${await addressOf(name)}/admin/large:1`;
      await until(
        'the registry gives the image',
        async () => (await shell(`docker pull ${tag}`).ended()).exitCode === 0,
        60_000,
      );
      expect(await checksumIn(tag)).toBe(noise);
      await output(`docker image rm ${tag}`);
    } finally {
      await output(`docker rm --force ${name}`);
    }
  });

  test('from a mount, without UCP: the same tree to the nanosecond', async () => {
    const path = join(directory, 'mounted.tar');
    await run(`${mounted} ${image} images --existing-replica-id ${replicaId} > ${path}`);
    expect(await countBlobs(path)).toBe(await countBlobs(file));
    await unpack([path]);
    expect(await treeOf(restored, '%.9Y')).toBe(await treeOf(volume, '%.9Y'));
  });

  test('since an earlier archive: only the blobs of what was pushed, and both together give the same tree', async () => {
    await push('admin/later:1', 1_000_000);
    const path = join(directory, 'since.tar');
    const earlier = `--volume ${file}:/earlier.tar:ro`;
    const stderr = await run(
      `${dockerRun} --user 0 ${earlier} ${image} images ${documented} --since /earlier.tar > ${path}`,
    );
    const held = (await countBlobs(file)).toLocaleString('en');
    expect(stderr).toContain(`Verified /earlier.tar: ${held} blobs are held`);
    expect(await countBlobs(path)).toBe(3);
    expect(await verify(path)).toContain(`${held} blobs, `);
    expect(statSync(path).size).toBeLessThan(statSync(file).size / 2);
    await unpack([file, path]);
    expect(await treeOf(restored, '%Y')).toBe(await treeOf(volume, '%Y'));
  });

  test.each(['container', 'mount'])('through a %s while somebody pushes: whole, and no warning', async (way) => {
    const path = join(directory, 'live.tar');
    const job =
      way === 'mount'
        ? `${mounted} ${image} images --existing-replica-id ${replicaId}`
        : `${dockerRun} ${image} images ${documented}`;
    const reading = shell(`${job} > ${path}`);
    let isRead = false;
    const ended = reading.ended().finally(() => (isRead = true));
    const registry = new Registry(`http://${await addressOf(volume)}`);
    let pieces = 0;
    await registry.pushWithoutEnd('admin/unfinished', () => {
      pieces += 1;
      return Promise.resolve(isRead ? undefined : Buffer.alloc(100_000, pieces));
    });
    const { exitCode, stderr } = await ended;
    const warnings = stderr.match(/^(?:WARN|ERRO|FATA)(?!.*--ucp-insecure-tls).*/gm);
    expect({ exitCode, warnings }).toEqual({ exitCode: 0, warnings: null });
    expect(pieces).toBeGreaterThan(1);
    expect(await verify(path)).toContain('whole and unaltered');
  });

  test('a mount that the job’s user may not read ends with 2 and what to do', async () => {
    const line = `docker run -i --rm --volume ${volume}:/registry:ro ${image} images --existing-replica-id ${replicaId}`;
    const { exitCode, stderr } = await shell(`${line} > /dev/null`).ended();
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('--user 0') });
  });
});
