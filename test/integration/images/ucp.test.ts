// `images` through UCP: the storage is found whatever it is, and a stream that breaks is no backup.
import { mkdtempSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Ended } from '../../support/command.js';
import { expectFailure } from '../../support/failure.js';
import { checkImages, sampleReplica } from '../../support/image-archive.js';
import { Program, runProgram } from '../../support/program.js';
import { addImage, blobPath, fillRegistryTree, type RegistryTree } from '../../support/registry-tree.js';
import { foreignTar, type EntryHeader } from '../../support/archive/tar-blocks.js';
import { addContainer, type ClusterContainer, type ClusterMount } from '../../support/ucp/cluster.js';
import { startUcpStandIn, type UcpStandIn } from '../../support/ucp/stand-in.js';

let directory: string;
let tree: RegistryTree;
let ucp: UcpStandIn;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  mkdirSync(join(directory, 'storage'));
  tree = fillRegistryTree(join(directory, 'storage'), { smallBlobs: 3, largeBlobBytes: 1_000_000 });
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(async () => {
  ucp = await startUcpStandIn({ replicas: [{ id: sampleReplica }] });
  mount({ content: { directory: join(directory, 'storage') } });
});
afterEach(async () => {
  await ucp[Symbol.asyncDispose]();
});

function registry(): ClusterContainer {
  const found = ucp.state.containers.find(({ name }) => name === `dtr-registry-${sampleReplica}`);
  if (found === undefined) throw new Error('no registry');
  return found;
}

function mount(storage: Omit<ClusterMount, 'path'>): void {
  registry().mounts = [{ path: '/storage', ...storage }];
}

function args(connectTimeout = '2'): string[] {
  const access = ['--ucp-url', ucp.url, '--ucp-insecure-tls', '--ucp-username', 'admin'];
  return ['images', ...access, '--connect-timeout', connectTimeout];
}

function run(...more: string[]): Promise<Ended> {
  return runProgram([...args(), ...more], { env: { UCP_PASSWORD: ucp.accounts.password } });
}

describe('through the container of the registry', () => {
  test.each<[string, Omit<ClusterMount, 'path' | 'content'>, string]>([
    ['a volume', { volume: `node/dtr-registry-${sampleReplica}` }, `volume dtr-registry-${sampleReplica}`],
    ['an NFS volume by its name', { volume: `n/dtr-nfs-registry-${sampleReplica}` }, 'NFS volume dtr-nfs-registry-'],
    [
      'an NFS volume by its options',
      { volume: 'n/images', options: { type: 'nfs4', device: ':/dtr' } },
      'NFS volume images (:/dtr)',
    ],
    ['a mounted directory', {}, 'directory /srv/storage'],
  ])('%s is found, read and proved', async (_what, storage, description) => {
    mount({ ...storage, content: { directory: join(directory, 'storage') } });
    const { exitCode, stdout, stderr } = await run();
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringContaining(`_data/ from ${description}`),
    });
    const { manifest, files } = await checkImages(stdout);
    for (const digest of tree.digests) expect(files.has(tree.blobPath(digest))).toBe(true);
    expect(manifest).toMatchObject({ replicaId: sampleReplica, dtrVersion: '2.9.4', corrupt: { count: 0 } });
    expect((await runProgram(['verify'], { stdin: stdout })).exitCode).toBe(0);
  });

  test('--dry-run reads nothing', async () => {
    const { exitCode, stdout } = await run('--dry-run');
    expect({ exitCode, bytes: stdout.length }).toEqual({ exitCode: 0, bytes: 0 });
    expect(ucp.calls.some(({ method, path }) => method === 'GET' && path.includes('/archive'))).toBe(false);
  });
});

test('of two containers of one name none is read: it ends with 5, and lists them', async () => {
  const mounts = [{ path: '/storage', content: { 'docker/registry/v2/x': 'somebody else’s' } }];
  addContainer(ucp.state, { name: `dtr-registry-${sampleReplica}`, node: 'node-2', mounts });
  ucp.state.containers.reverse();
  const ended = await run();
  expectFailure(ended, 5, /several containers of one name: .*dtr-node-1 \([0-9a-f]{12}, running\)/);
  expect(ended.stdout).toHaveLength(0);
  expect(ucp.calls.some(({ path }) => path.includes('/archive'))).toBe(false);
});

describe('images that are kept elsewhere end with 5', () => {
  test.each([
    ['S3', ['REGISTRY_STORAGE_S3_BUCKET=images']],
    ['Azure', ['REGISTRY_STORAGE=azure']],
    ['Google Cloud Storage', ['REGISTRY_STORAGE_GCS_BUCKET=b', 'REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR=redis']],
    ['Swift', ['REGISTRY_STORAGE_SWIFT_AUTHURL=https://swift']],
  ])('in %s', async (name, environment) => {
    registry().environment = environment;
    expectFailure(await run(), 5, new RegExp(`keeps its images in ${name}: back that storage up as its own`));
  });

  test('where nothing is mounted', async () => {
    registry().mounts = [];
    expectFailure(await run(), 5, /nothing mounted at \/storage/);
  });

  test('where a volume is mounted that holds none', async () => {
    mount({ volume: `n/dtr-registry-${sampleReplica}`, content: { 'lost+found/x': '' } });
    expectFailure(await run(), 5, /holds no image .*another storage backend/);
  });

  test('where there is no registry', async () => {
    ucp.state.containers.splice(ucp.state.containers.indexOf(registry()), 1);
    expectFailure(await run(), 5, new RegExp(`no container dtr-registry-${sampleReplica}`));
  });
});

describe('a stream that breaks ends with 4', () => {
  const archive = /^GET .*\/archive/;

  test.each(['cut', 'reset', 'lost-answer'] as const)('by a connection that fails: %s', async (kind) => {
    ucp.faults.add({ on: archive, fault: { kind } });
    // What is lost before an answer begins is tried again for as long as this.
    const ended = await runProgram(args('0.5'), { env: { UCP_PASSWORD: ucp.accounts.password } });
    expectFailure(ended, 4, /UCP/);
  });

  test('by standing still for --read-timeout', async () => {
    ucp.faults.add({ on: archive, fault: { kind: 'stall' } });
    expectFailure(await run('--read-timeout', '1'), 4, /within 1 s/);
  });

  test('by trickling: each byte comes in time, and there is no end to it', async () => {
    ucp.faults.add({ on: archive, fault: { kind: 'trickle' } });
    expectFailure(await run('--read-timeout', '1'), 4, /neither an entry nor 65536 bytes of one came within 1 s/);
  });

  test('by going on after its end', async () => {
    const tar = await foreignTar([file('docker/registry/v2/x')]);
    mount({ content: { tar: () => Buffer.concat([tar, Buffer.alloc(3_000_000)]) } });
    expectFailure(await run(), 4, /tar of it is broken: it has trailing bytes/);
  });

  const file = (name: string): [EntryHeader, string] => [{ name: `storage/${name}`, mode: 0o644 }, 'x'.repeat(2000)];

  test('by the engine, with an answer that ends properly in half a tar, as when a file shrinks under it', async () => {
    const tar = await foreignTar([file('a'), file('b')]);
    mount({ content: { tar: () => tar.subarray(0, 2000) } });
    expectFailure(await run(), 4, /tar of it is broken: it ends in the middle of storage\/a.*mount the volume/);
    mount({ content: { tar: () => tar.subarray(0, -1024) } });
    expectFailure(await run(), 4, /it ends between two entries: it is cut short/);
  });

  test('by what follows its end without an end', async () => {
    const tar = Buffer.concat([await foreignTar([file('a')]), Buffer.alloc(2 * 1024 * 1024)]);
    mount({ content: { tar: () => tar } });
    expectFailure(await run(), 4, /tar of it is broken: it has trailing bytes after its end blocks/);
  });

  test.each<[string, EntryHeader, RegExp]>([
    ['leads out of the volume', { name: 'storage/../../etc/passwd' }, /is outside the volume/],
    [
      'links out of the volume',
      { name: 'storage/a', type: 'link', linkname: 'storage/../x' },
      /links out of the volume/,
    ],
  ])('by an entry that %s', async (_what, header, message) => {
    const tar = await foreignTar([[header]]);
    mount({ content: { tar: () => tar } });
    expectFailure(await run(), 4, message);
  });

  test('a device is left out, with a warning', async () => {
    const paths = ['', 'docker', 'docker/registry', 'docker/registry/v2', 'docker/registry/v2/blobs'];
    const directories = paths.map((path): [EntryHeader] => [
      { name: `storage/${path}`, type: 'directory', mode: 0o755 },
    ]);
    const tar = await foreignTar([
      ...directories,
      file('docker/registry/v2/x'),
      [{ name: 'storage/fifo', type: 'fifo' }],
    ]);
    mount({ content: { tar: () => tar } });
    const { exitCode, stderr } = await run();
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringContaining('Left out: fifo (is a FIFO)'),
    });
  });
});

describe('what repositories name', () => {
  test('and the storage lacks is counted as missing: the run ends with 8', async () => {
    const storage = join(directory, 'lost');
    mkdirSync(storage);
    const image = addImage(storage, 'org/app', '1');
    rmSync(join(storage, dirname(blobPath(image.layer))), { recursive: true });
    mount({ content: { directory: storage } });
    const { exitCode, stdout, stderr } = await run();
    expect({ exitCode, stderr }).toEqual({ exitCode: 8, stderr: expect.stringContaining('of org/app:1 needs it') });
    const missing = { count: 1, first: [{ path: blobPath(image.layer) }] };
    expect((await checkImages(stdout)).manifest.references).toMatchObject({ missing, stale: 0, uncompared: 0 });
  });

  test.each(['docker', 'docker/registry/v2/blobs', 'docker/registry/v2/repositories'])(
    'is not backed up where %s is a symbolic link: the run ends with 5',
    async (linked) => {
      const storage = mkdtempSync(join(directory, 'linked-'));
      addImage(storage, 'org/app', '1');
      renameSync(join(storage, linked), join(directory, `${basename(storage)}-moved`));
      symlinkSync(join(directory, `${basename(storage)}-moved`), join(storage, linked));
      mount({ content: { directory: storage } });
      expectFailure(
        await run(),
        5,
        new RegExp(`^FATA.*${linked} of directory /srv/storage is a symbolic link to /.*`, 'm'),
      );
    },
  );
});

test('SIGTERM ends it with 143, and the connection to UCP', async () => {
  const storage = mkdtempSync(join(directory, 'large-'));
  // More than what is on the way to stdout can hold.
  fillRegistryTree(storage, { smallBlobs: 1, largeBlobBytes: 6_000_000 });
  mount({ content: { directory: storage } });
  const program = new Program(args(), { env: { UCP_PASSWORD: ucp.accounts.password } });
  await program.readThenStall(100_000);
  program.child.kill('SIGTERM');
  expectFailure(await program.ended(), 143, /SIGTERM/);
});
