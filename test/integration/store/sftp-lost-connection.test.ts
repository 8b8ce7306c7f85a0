// The SFTP store against OpenSSH's own server: connections cut anywhere, a full disk, a killed process.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { scaled } from '../../support/scale.js';
import { download, openStore, readAll, sftpSettings, upload } from '../../support/store/sftp-client.js';
import { hasSshServer, startSshServer, type SshServer } from '../../support/store/ssh-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

const describeWithServer = hasSshServer() ? describe : describe.skip;
const uploadingProcess = fileURLToPath(new URL('../../support/store/uploading-process.js', import.meta.url));

describeWithServer('the SFTP store in trouble', () => {
  let server: SshServer;
  let directory: string;
  let path: string;
  beforeAll(async () => {
    server = await startSshServer();
  });
  afterAll(async () => server[Symbol.asyncDispose]());
  beforeEach(() => {
    directory = join(server.directory, randomBytes(4).toString('hex'));
    mkdirSync(directory);
    path = join(directory, 'a.tar');
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const refused = (exitCode: number, message: RegExp): object => ({
    name: 'JobError',
    exitCode,
    message: expect.stringMatching(message) as unknown,
  });

  /** Bytes that the server sends for a connection with a small upload, from its first to its last. */
  const sentBytes = 6200;
  const cuts = scaled(16, 100);
  /** The last ones, with the answers to the commit, are tried more closely. */
  const commitBytes = 1200;

  test.each([false, true])('is cut anywhere, and the file is whole (force: %s)', async (force) => {
    const bytes = randomBytes(200_000);
    const places = [
      ...Array.from({ length: cuts }, (_, cut) => Math.round(1 + (cut * sentBytes) / cuts)),
      ...Array.from({ length: cuts }, (_, cut) => Math.round(sentBytes - ((cut + 0.5) * commitBytes) / cuts)),
    ];
    for (const at of places) {
      const to = `${path}${at}`;
      if (force) writeFileSync(to, 'older');
      await using proxy = await startTcpProxy(server, { cutAfterBytes: [at] });
      await using opened = await openStore(proxy, sftpSettings(server));
      {
        await using output = await opened.store.openOutput(to, { force });
        await output.write(bytes);
        await output.commit();
      }
      expect(readFileSync(to).equals(bytes)).toBe(true);
      expect(readdirSync(directory)).toEqual([`a.tar${at}`]);
      expect(statSync(to).mode & 0o777).toBe(0o600);
      rmSync(to);
    }
  });

  test('is cut again and again, and goes on each time', async () => {
    const bytes = randomBytes(10_000_000);
    // A connection takes some 3000 bytes of the server to sign in; then one answer for each 32 KiB.
    await using proxy = await startTcpProxy(server, { cutAfterBytes: [8000, 4500, 5500, 7000, 9000] });
    await using opened = await openStore(proxy, sftpSettings(server, { connectWindowMs: 20_000 }));
    await upload(opened.store, path, bytes);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(proxy.connections).toBeGreaterThan(3);
    await using reading = await startTcpProxy(server, { cutAfterBytes: [200_000, 3_000_000, 4000, 50_000] });
    await using reader = await openStore(reading, sftpSettings(server, { connectWindowMs: 20_000 }));
    expect((await download(reader.store, path)).equals(bytes)).toBe(true);
    expect(reading.connections).toBe(5);
  });

  test('is cut, and the server is gone for good: nothing is there under the final name', async () => {
    const proxy = await startTcpProxy(server);
    await using opened = await openStore(proxy, sftpSettings(server, { connectWindowMs: 500 }));
    const output = await opened.store.openOutput(path, { force: false });
    await output.write(randomBytes(1_000_000));
    await proxy[Symbol.asyncDispose]();
    await expect(output.commit()).rejects.toMatchObject(refused(8, /: the connection is lost: .*connection refused$/));
    await output[Symbol.asyncDispose]();
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/\.part$/)]);
    expect(opened.warnings.at(-1)).toMatch(/\.part cannot be removed: .*; remove it by hand$/);
  });

  test('stalls: the connection is left after the timeout, and made again', async () => {
    const bytes = randomBytes(1_000_000);
    writeFileSync(path, bytes);
    await using proxy = await startTcpProxy(server, { stopAfterBytes: { bytes: 500_000, how: 'stall' } });
    await using opened = await openStore(proxy, sftpSettings(server, { readTimeoutMs: 500, connectWindowMs: 20_000 }));
    expect((await download(opened.store, path)).equals(bytes)).toBe(true);
    expect(opened.warnings[0]).toMatch(/: the connection is lost: no answer for 0\.5 s; connecting again$/);
  });

  test('is slow: the writer waits, and memory stays bounded', async () => {
    await using proxy = await startTcpProxy(server, { holdAfterBytes: 1_000_000 });
    await using opened = await openStore(proxy, sftpSettings(server));
    await using output = await opened.store.openOutput(path, { force: false });
    const chunk = Buffer.alloc(100_000);
    let writtenBytes = 0;
    const writing = (async () => {
      for (; writtenBytes < 20_000_000; writtenBytes += chunk.length) await output.write(chunk);
    })();
    await proxy.held;
    await until('the writer waits', async () => {
      const before = writtenBytes;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return writtenBytes === before;
    });
    expect(writtenBytes).toBeLessThan(4_000_000);
    proxy.release();
    await writing;
    await output.commit();
    expect(statSync(path).size).toBe(20_000_000);
  });

  test('a killed process leaves a .part, and nothing under the final name', async () => {
    const { host, port, user, privateKey, fingerprint } = server;
    const argument = JSON.stringify({ host, port, user, privateKey, fingerprint, path });
    const child = spawn(process.execPath, [uploadingProcess, argument], { stdio: 'ignore' });
    const ended = once(child, 'close');
    const partBytes = (): number => {
      const [part] = readdirSync(directory);
      return part === undefined ? 0 : statSync(join(directory, part)).size;
    };
    await until('the upload is under way', () => partBytes() > 1_000_000, 30_000);
    child.kill('SIGKILL');
    await ended;
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^a\.tar\.[0-9a-f]{8}\.part$/)]);
    await using opened = await openStore(server, sftpSettings(server));
    await upload(opened.store, path, Buffer.alloc(10));
    expect(opened.warnings).toEqual([expect.stringMatching(/is of a run that was killed/)]);
  });

  test('a full disk and a read-only one are named, and nothing is left', async () => {
    const disk = join(directory, 'disk');
    mkdirSync(disk);
    if (!mount(['-t', 'tmpfs', '-o', 'size=1m', 'dtr-backup-test', disk])) return;
    try {
      await using opened = await openStore(server, sftpSettings(server));
      const full = join(disk, 'a.tar');
      await expect(upload(opened.store, full, randomBytes(3_000_000))).rejects.toMatchObject(
        refused(8, /^cannot write the archive to sftp:.*: the server's disk is full$/),
      );
      expect(readdirSync(disk)).toEqual([]);
      await upload(opened.store, full, randomBytes(100_000));
      mount(['-o', 'remount,ro', disk]);
      await expect(upload(opened.store, `${full}2`, randomBytes(10))).rejects.toMatchObject(
        refused(8, /: the file system on the server is read-only$/),
      );
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test('an input that is not read to its end is closed', async () => {
    writeFileSync(path, randomBytes(5_000_000));
    await using opened = await openStore(server, sftpSettings(server));
    await using input = await opened.store.openInput(path);
    for await (const chunk of input.chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await using again = input.again?.();
    expect(again === undefined ? 0 : (await readAll(again.chunks)).length).toBe(5_000_000);
    expect(existsSync(path)).toBe(true);
  });
});

/** False, said aloud, where this machine does not let us. */
function mount(args: readonly string[]): boolean {
  try {
    execFileSync('mount', args, { stdio: 'pipe' });
    return true;
  } catch {
    process.stderr.write('SKIPPED: nothing can be mounted here; a full disk on an SFTP server is not tested\n');
    return false;
  }
}
