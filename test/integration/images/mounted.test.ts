// `images` from storage that is mounted into the job: whole, honest about what changes meanwhile, incremental.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Ended } from '../../support/command.js';
import { expectFailure, fatalLines } from '../../support/failure.js';
import { checkImages, sampleReplica } from '../../support/image-archive.js';
import { Program, runProgram } from '../../support/program.js';
import { addBlob, blobPath, fillRegistryTree, type RegistryTree } from '../../support/registry-tree.js';

let directory: string;
let storage: string;
let tree: RegistryTree;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  storage = join(directory, 'storage');
  mkdirSync(storage);
  tree = fillRegistryTree(storage, { smallBlobs: 3, largeBlobBytes: 1_000_000 });
});
afterEach(() => rmSync(directory, { recursive: true }));

const flags = (...more: string[]): string[] => {
  return ['images', '--registry-path', storage, '--existing-replica-id', sampleReplica, ...more];
};

/** Every name with its type, owner, mode, time to the nanosecond and link, and what is in the files. */
function treeAt(path: string): string {
  const list =
    'find . -exec stat --format "%N %f %u %g %h %.9Y" {} + | sort; find . -type f -exec sha256sum {} + | sort';
  return execFileSync('bash', ['-c', list], { cwd: path, encoding: 'utf8' });
}

function unpacked(...archives: Buffer[]): string {
  const target = mkdtempSync(join(directory, 'volumes-'));
  for (const archive of archives) execFileSync('tar', ['-xpf', '-', '-C', target], { input: archive, stdio: 'pipe' });
  return join(target, `dtr-registry-${sampleReplica}`, '_data');
}

describe('images of a mounted storage', () => {
  test('unpacked by tar are the same tree, and verify proves the archive', async () => {
    const { exitCode, stdout, stderr } = await runProgram(flags());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('Image backup complete') });
    expect(treeAt(unpacked(stdout))).toBe(treeAt(storage));
    const verdict = await runProgram(['verify'], { stdin: stdout });
    expect(`${verdict.exitCode ?? ''} ${verdict.stdout.toString()}`).toMatch(
      /^0 dtr-registry-\w+\/: whole .* 4 blobs\n$/,
    );
    expect((await checkImages(stdout)).manifest.blobs.count).toBe(4);
  });

  test('hold a sparse file with zeros for its holes', async () => {
    writeFileSync(join(storage, 'sparse'), 'data');
    truncateSync(join(storage, 'sparse'), 3_000_000);
    const { exitCode, stdout } = await runProgram(flags());
    expect({ exitCode, length: stdout.length > 4_000_000 }).toEqual({ exitCode: 0, length: true });
    expect(treeAt(unpacked(stdout))).toBe(treeAt(storage));
    expect((await runProgram(['verify'], { stdin: stdout })).exitCode).toBe(0);
  });

  test('are verified in the file before it gets its name', async () => {
    const file = join(directory, '{replica}.tar');
    const { exitCode, stderr } = await runProgram(flags('--output', file, '--verify'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringMatching(/Verified .*part: 12 files/) });
    expect(readdirSync(directory).sort()).toEqual([`${sampleReplica}.tar`, `${sampleReplica}.tar.json`, 'storage']);
  });

  test('end with 5 for a storage without images, with 2 for a path that is not there', async () => {
    rmSync(join(storage, 'docker'), { recursive: true });
    expectFailure(await runProgram(flags()), 5, /holds no image/);
    rmSync(storage, { recursive: true });
    expectFailure(await runProgram(flags()), 2, /--registry-path .* is not a directory of this job/);
    mkdirSync(storage);
  });

  test('leave out a socket, with a warning', async () => {
    const server = createServer().listen(join(storage, 'socket'));
    await once(server, 'listening');
    const { exitCode, stdout, stderr } = await runProgram(flags());
    server.close();
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringContaining('Left out: socket (is a socket'),
    });
    expect((await checkImages(stdout)).manifest.leftOut).toMatchObject({ count: 1, first: [{ path: 'socket' }] });
  });

  test.each([
    ['that is not UTF-8', Buffer.from([0x62, 0xff, 0x64]), 'b\uFFFDd (has a name that is not UTF-8)'],
    ['with a backslash', Buffer.from('b\\d'), 'b\\d (has a backslash in its name)'],
  ])('leave out a file with a name %s, and end with 8', async (_how, name, told) => {
    writeFileSync(Buffer.concat([Buffer.from(`${storage}/`), name]), 'content');
    const { exitCode, stdout, stderr } = await runProgram(flags());
    expect({ exitCode, stderr }).toEqual({ exitCode: 8, stderr: expect.stringContaining(`Left out: ${told}`) });
    expect(fatalLines({ stderr })).toEqual([expect.stringContaining('the archive is whole, but 1 were left out')]);
    expect((await checkImages(stdout)).manifest.leftOut.count).toBe(1);
    expect((await runProgram(flags('--allow-changed'))).exitCode).toBe(0);
  });

  test('list a blob that is corrupt in the registry, and the archive is whole', async () => {
    const [, victim = ''] = tree.digests;
    writeFileSync(join(storage, blobPath(victim)), 'rotten');
    const { exitCode, stdout, stderr } = await runProgram(flags());
    expect(exitCode).toBe(0);
    expect(stderr).toContain('ERRO');
    expect(stderr).toContain(`Corrupt in the registry itself: ${blobPath(victim)}`);
    const verdict = await runProgram(['verify'], { stdin: stdout });
    expect(verdict.exitCode).toBe(0);
    expect(verdict.stdout.toString()).toContain(`${blobPath(victim)}: corrupt in the registry itself`);
    const shown = await runProgram(['inspect'], { stdin: stdout });
    expect(shown.stdout.toString()).toMatch(/^corrupt blob +docker.*: has the SHA-256 [0-9a-f]{64}$/m);
  });
});

describe('what changes while it is read', () => {
  /** More than all pipes and buffers on the way of a blob hold, and half of it as well. */
  const largeBytes = 12_000_000;

  /** Runs the job up to the middle of the file, cuts that in half, and lets the job go on to its end. */
  async function runAndShrink(path: string, ...more: string[]): Promise<Ended> {
    const program = new Program(flags(...more));
    const seen: Buffer[] = [];
    // The order of a directory is the file system's.
    while (!Buffer.concat(seen.slice(-2)).includes('xxxxxxxx')) seen.push(await program.readThenStall(100_000));
    truncateSync(path, largeBytes / 2);
    const ended = await program.ended();
    return { ...ended, stdout: Buffer.concat([...seen, ended.stdout]) };
  }

  test.each([
    ['ends with 8', [], 8],
    ['ends with 0 where it is accepted', ['--allow-changed'], 0],
  ])('a blob that shrinks is padded and counted: the run %s, and the archive is whole', async (_how, more, code) => {
    const large = blobPath(addBlob(storage, Buffer.alloc(largeBytes, 'x')));
    const { exitCode, stdout, stderr } = await runAndShrink(join(storage, large), ...more);
    expect(exitCode).toBe(code);
    expect(stderr).toContain(`${large} shrank while it was read`);
    const fatal = code === 0 ? [] : [expect.stringContaining('the archive is whole, but 1 files changed')];
    expect(fatalLines({ stderr })).toEqual(fatal);
    const verdict = await runProgram(['verify'], { stdin: stdout });
    expect(verdict.exitCode).toBe(0);
    expect(verdict.stdout.toString()).toContain(`${large}: corrupt in the registry itself`);
  });

  test('an upload that shrinks is not counted: it belongs to no image yet', async () => {
    const uploads = join(storage, 'docker/registry/v2/repositories/admin/app/_uploads/1');
    mkdirSync(uploads, { recursive: true });
    writeFileSync(join(uploads, 'data'), Buffer.alloc(largeBytes, 'x'));
    expect((await runAndShrink(join(uploads, 'data'))).exitCode).toBe(0);
  });

  test('an interrupted run leaves nothing that passes for an archive', async () => {
    addBlob(storage, Buffer.alloc(largeBytes, 'x'));
    const program = new Program(flags());
    await program.readThenStall(100_000);
    program.child.kill('SIGTERM');
    expectFailure(await program.ended(), 143, /SIGTERM/);
  });
});

describe('--since', () => {
  test('leaves out what the earlier archive holds, and both together give the same tree', async () => {
    const file = join(directory, 'earlier.tar');
    expect((await runProgram(flags('--output', file))).exitCode).toBe(0);
    const added = addBlob(storage, Buffer.from('new'));
    const { exitCode, stdout } = await runProgram(flags('--since', file));
    expect(exitCode).toBe(0);
    const { manifest, files } = await checkImages(stdout);
    expect([...files.keys()].filter((path) => path.includes('/blobs/'))).toEqual([blobPath(added)]);
    const checksum = /"checksum": "(\w+)"/.exec(readFileSync(file, 'latin1'))?.[1];
    expect(manifest).toMatchObject({ since: [{ checksum }], heldBefore: { count: 4 } });
    expect(treeAt(unpacked(readFileSync(file), stdout))).toBe(treeAt(storage));
    const verdict = await runProgram(['verify'], { stdin: stdout });
    expect(verdict.stdout.toString()).toContain('4 blobs, 1.0 MB, are in the archives it was made --since');
  });

  test('refuses an earlier archive that is not whole, and writes nothing', async () => {
    const file = join(directory, 'earlier.tar');
    expect((await runProgram(flags('--output', file))).exitCode).toBe(0);
    truncateSync(file, 100_000);
    const ended = await runProgram(flags('--since', file));
    expectFailure(ended, 9, /earlier\.tar is invalid: .*cut short/);
    expect(ended.stdout).toHaveLength(0);
  });
});

test('restore refuses an image archive and says how it goes back', async () => {
  const { stdout } = await runProgram(flags());
  writeFileSync(join(directory, 'i.tar'), stdout);
  const direct = ['--rethinkdb-addr', '127.0.0.1:1', '--rethinkdb-plaintext', '--dtr-version', '2.9.4'];
  expectFailure(await runProgram(['restore', ...direct, join(directory, 'i.tar')]), 9, /holds images, not metadata/);
});
