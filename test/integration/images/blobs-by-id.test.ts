// Storage in which blobs lie by id, as MSR stores them, beside those by digest: counted, left out with --since, restored.
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkImages, sampleReplica } from '../../support/image-archive.js';
import { runProgram } from '../../support/program.js';
import { startUcpStandIn } from '../../support/ucp/stand-in.js';
import { addBlobById, addImage, blobIdPath, blobPath, type RegistryImage } from '../../support/registry-tree.js';

const [small, large] = ['0b9d5b1c-2f6e-4a53-9d0c-1f2e3d4c5b6a', 'ffae'];
let directory: string;
let storage: string;
let image: RegistryImage;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  storage = join(directory, 'storage');
  image = addImage(storage, 'org/app', '1');
  addBlobById(storage, small, Buffer.from('small'));
  addBlobById(storage, large, Buffer.alloc(700_000, 'x'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = (...more: string[]) => {
  return runProgram(['images', '--registry-path', storage, '--existing-replica-id', sampleReplica, ...more]);
};

test('images counts both kinds, and the log, verify and inspect say for which their content is compared', async () => {
  const { exitCode, stdout, stderr } = await run();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('5 blobs written to') });
  expect(stderr).toContain('2 of the blobs are stored by id: only the metadata has their digests');
  expect((await checkImages(stdout)).manifest).toMatchObject({
    blobs: { count: 5 },
    blobsById: { count: 2, bytes: 700_005 },
    corrupt: { count: 0 },
  });
  const verdict = await runProgram(['verify'], { stdin: stdout });
  expect(verdict.exitCode).toBe(0);
  expect(verdict.stdout.toString()).toContain(
    '\n2 of the blobs are stored by id: only --metadata tells whether they are corrupt\n',
  );
  const shown = (await runProgram(['inspect'], { stdin: stdout })).stdout.toString();
  expect(shown).toMatch(/^of them by id +2, 700\.0 kB$/m);
});

describe('--since', () => {
  let earlier: string;

  beforeEach(async () => {
    earlier = join(directory, 'earlier.tar');
    expect((await run('--output', earlier)).exitCode).toBe(0);
  });

  test('leaves out blobs of either kind that are the same, and both archives together give the tree', async () => {
    addBlobById(storage, 'c0ffee', Buffer.from('new'));
    const { exitCode, stdout, stderr } = await run('--since', earlier);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('5 blobs are held') });
    const { manifest, files } = await checkImages(stdout);
    expect([...files.keys()].filter((path) => path.includes('/blobs/'))).toEqual([blobIdPath('c0ffee')]);
    expect(manifest.heldBefore).toMatchObject({ count: 5 });
    expect((await runProgram(['verify'], { stdin: stdout })).exitCode).toBe(0);
    const volumes = join(directory, 'volumes');
    mkdirSync(volumes);
    for (const input of [readFileSync(earlier), stdout]) execFileSync('tar', ['-xf', '-', '-C', volumes], { input });
    const unpacked = join(volumes, `dtr-registry-${sampleReplica}`, '_data');
    execFileSync('diff', ['-r', storage, unpacked]);
  });

  test.each([
    ['another size', small, 'other'.repeat(9)],
    ['the same size and another content, small', small, 'SMALL'],
    ['the same size and another content, large', large, `${'x'.repeat(699_999)}y`],
  ])('writes a blob by id with %s again', async (_how, id, content) => {
    writeFileSync(join(storage, blobIdPath(id)), content);
    const { exitCode, stdout } = await run('--since', earlier);
    expect(exitCode).toBe(0);
    const { manifest, files } = await checkImages(stdout);
    expect(files.get(blobIdPath(id))?.toString()).toBe(content);
    expect(manifest.heldBefore.count).toBe(4);
    expect((await runProgram(['verify'], { stdin: stdout })).exitCode).toBe(0);
  });

  test('writes a blob by id again that two earlier archives hold differently', async () => {
    const second = join(directory, 'second.tar');
    writeFileSync(join(storage, blobIdPath(small)), 'SMALL');
    expect((await run('--output', second)).exitCode).toBe(0);
    const { stdout } = await run('--since', earlier, '--since', second);
    const { files } = await checkImages(stdout);
    expect([...files.keys()].filter((path) => path.includes('/blobs/'))).toEqual([blobIdPath(small)]);
  });
});

test('--since leaves out blobs by id that are the same, though an engine gives each body only once', async () => {
  await using ucp = await startUcpStandIn({ replicas: [{ id: sampleReplica }] });
  const registry = ucp.state.containers.find(({ name }) => name === `dtr-registry-${sampleReplica}`);
  if (registry !== undefined) registry.mounts = [{ path: '/storage', content: { directory: storage } }];
  const access = ['--ucp-url', ucp.url, '--ucp-insecure-tls', '--ucp-username', 'admin'];
  const env = { UCP_PASSWORD: ucp.accounts.password };
  const earlier = join(directory, 'earlier.tar');
  addBlobById(storage, 'c0ffee', Buffer.alloc(400_000, 'c'));
  expect((await runProgram(['images', ...access, '--output', earlier], { env })).exitCode).toBe(0);
  const changed = Buffer.alloc(400_000, 'C');
  addBlobById(storage, 'c0ffee', changed);
  const { exitCode, stdout } = await runProgram(['images', ...access, '--since', earlier], { env });
  expect(exitCode).toBe(0);
  const { manifest, files } = await checkImages(stdout);
  expect(manifest.heldBefore.count).toBe(5);
  const blobs = [...files].filter(([path]) => path.includes('/blobs/'));
  expect(blobs).toEqual([[blobIdPath('c0ffee'), changed]]);
  expect((await runProgram(['verify'], { stdin: stdout })).exitCode).toBe(0);
});

test('a hard link between the two kinds is a blob of each', async () => {
  const linked = join(storage, blobPath(image.layer));
  const byId = join(storage, blobIdPath('1234'));
  mkdirSync(dirname(byId), { recursive: true });
  linkSync(linked, byId);
  const { exitCode, stdout } = await run();
  // Whichever of them comes first, the image has its layer.
  expect(exitCode).toBe(0);
  expect((await checkImages(stdout)).manifest.references).toMatchObject({ missing: { count: 0 } });
  expect((await runProgram(['verify'], { stdin: stdout })).exitCode).toBe(0);
});
