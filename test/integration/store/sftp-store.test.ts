// The SFTP store against OpenSSH's own server: what it writes, reads, lists, removes and refuses.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Input } from '#src/model/archive-stream.js';
import type { Store } from '#src/store/store.js';
import {
  download,
  openStore,
  readAll,
  sftpSettings,
  upload,
  type OpenedStore,
} from '../../support/store/sftp-client.js';
import { hasSshServer, startSshServer, type SshServer } from '../../support/store/ssh-server.js';

const describeWithServer = hasSshServer() ? describe : describe.skip;

describeWithServer('the SFTP store', () => {
  let server: SshServer;
  let opened: OpenedStore;
  let store: Store;
  let directory: string;
  let path: string;
  beforeAll(async () => {
    // New keys for the session every few megabytes, as in a long transfer.
    server = await startSshServer({ config: ['RekeyLimit 4M'] });
  });
  afterAll(async () => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    directory = join(server.directory, randomBytes(4).toString('hex'));
    mkdirSync(directory);
    path = join(directory, 'a.tar');
    opened = await openStore(server, sftpSettings(server));
    store = opened.store;
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  const url = (of: string): string => `sftp://127.0.0.1:${server.port}${of}`;
  const fails = (exitCode: number, message: string | RegExp): object => ({
    name: 'JobError',
    exitCode,
    message: typeof message === 'string' ? message : (expect.stringMatching(message) as unknown),
  });

  test('a file appears whole under its name when it is committed, and never before', async () => {
    const bytes = randomBytes(20_000_001);
    await using output = await store.openOutput(path, { force: false });
    for (let at = 0; at < bytes.length; at += 777_777) {
      // The caller uses its buffer again.
      const chunk = Buffer.from(bytes.subarray(at, at + 777_777));
      await output.write(chunk);
      chunk.fill(0);
    }
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^a\.tar\.[0-9a-f]{8}\.part$/)]);
    await output.commit();
    expect(readdirSync(directory)).toEqual(['a.tar']);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await using input = await store.openInput(path);
    expect(input).toMatchObject({ sizeBytes: bytes.length, name: url(path) });
    expect((await readAll(input.chunks)).equals(bytes)).toBe(true);
    await using again = input.again?.();
    expect(again !== undefined && (await readAll(again.chunks)).equals(bytes)).toBe(true);
    expect(opened.warnings).toEqual([]);
  });

  test('an empty file, and one of a single byte', async () => {
    for (const length of [0, 1]) {
      await upload(store, `${path}${length}`, Buffer.alloc(length));
      expect(await download(store, `${path}${length}`)).toEqual(Buffer.alloc(length));
    }
  });

  test('nothing is left of what is not committed', async () => {
    {
      await using output = await store.openOutput(path, { force: false });
      await output.write(Buffer.alloc(1_000_000));
    }
    expect(readdirSync(directory)).toEqual([]);
    expect(opened.warnings).toEqual([]);
  });

  test('a file is replaced with force only, in one step', async () => {
    writeFileSync(path, 'older');
    const refused = fails(8, `${url(path)} exists and is never overwritten without --force`);
    await expect(store.assertFree(path, { force: false })).rejects.toMatchObject(refused);
    await expect(store.openOutput(path, { force: false })).rejects.toMatchObject(refused);
    await store.assertFree(path, { force: true });
    await using output = await store.openOutput(path, { force: true });
    await output.write(Buffer.from('newer'));
    expect(readFileSync(path, 'utf8')).toBe('older');
    await output.commit();
    expect(readFileSync(path, 'utf8')).toBe('newer');
    expect(readdirSync(directory)).toEqual(['a.tar']);
  });

  test('a file that appears while another is written is not overwritten', async () => {
    await using output = await store.openOutput(path, { force: false });
    await output.write(Buffer.from('late'));
    writeFileSync(path, 'meanwhile');
    await expect(output.commit()).rejects.toMatchObject(fails(8, /a\.tar exists and is never overwritten/));
    await output[Symbol.asyncDispose]();
    expect(readdirSync(directory)).toEqual(['a.tar']);
    expect(readFileSync(path, 'utf8')).toBe('meanwhile');
  });

  test('what is no file is refused', async () => {
    symlinkSync('/elsewhere', join(directory, 'link'));
    mkdirSync(join(directory, 'sub'));
    execFileSync('mkfifo', [join(directory, 'fifo')]);
    for (const [name, message] of [
      ['link', /is a symbolic link to \/elsewhere, and would be replaced/],
      ['sub', /is a directory: name a file in it/],
      ['sub/', /is not the name of a file/],
      ['fifo', /is a FIFO, not a file/],
    ] as const) {
      await expect(store.assertFree(join(directory, name), { force: true })).rejects.toMatchObject(fails(8, message));
    }
    for (const [name, message] of [
      ['missing', `cannot read the archive from ${url(join(directory, 'missing'))}: no such file`],
      ['sub', /: it is a directory$/],
      ['fifo', /: it is a FIFO$/],
    ] as const) {
      await expect(store.openInput(join(directory, name))).rejects.toMatchObject(fails(2, message));
    }
  });

  test('a directory that does not exist is no place for a file', async () => {
    await expect(store.openOutput(join(directory, 'no/a.tar'), { force: false })).rejects.toMatchObject(
      fails(8, /^cannot write the archive to sftp:.*: no such directory$/),
    );
    await expect(store.list(join(directory, 'no/'))).rejects.toMatchObject(fails(2, /^cannot list .*: no such file$/));
  });

  test('an archive is read back before it appears, and does not appear when that fails', async () => {
    const bytes = randomBytes(300_000);
    let readBack: Buffer | undefined;
    let namesThen: readonly string[] = [];
    const verifyArchive = async (open: () => Promise<Input>): Promise<void> => {
      namesThen = readdirSync(directory);
      await using input = await open();
      readBack = await readAll(input.chunks);
      if (readBack.length === 0) throw new Error('it is empty');
    };
    await using output = await store.openOutput(path, { force: false, verifyArchive });
    await output.write(bytes);
    await output.commit();
    expect(namesThen).toEqual([expect.stringMatching(/\.part$/)]);
    expect(readBack?.equals(bytes)).toBe(true);
    const other = join(directory, 'b.tar');
    {
      await using bad = await store.openOutput(other, { force: false, verifyArchive });
      await expect(bad.commit()).rejects.toThrow(/^it is empty$/);
    }
    expect(readdirSync(directory)).toEqual(['a.tar']);
  });

  test('what a killed run left is named, and left', async () => {
    writeFileSync(`${path}.0123abcd.part`, '');
    await upload(store, path, Buffer.alloc(1));
    expect(opened.warnings).toEqual([
      `${url(path)}.0123abcd.part is of a run that was killed, or that is still running: remove it if none is`,
    ]);
    expect(readdirSync(directory)).toHaveLength(2);
  });

  test('an abort is thrown at once, and the .part is removed', async () => {
    const reason = new Error('interrupted');
    const output = await store.openOutput(path, { force: false });
    await output.write(Buffer.alloc(100_000));
    opened.abort.abort(reason);
    await expect(output.write(Buffer.alloc(1))).rejects.toBe(reason);
    await expect(output.commit()).rejects.toBe(reason);
    await expect(store.openInput(path)).rejects.toBe(reason);
    await expect(store.list(directory)).rejects.toBe(reason);
    await expect(store.readText(path)).rejects.toBe(reason);
    await output[Symbol.asyncDispose]();
    expect(readdirSync(directory)).toEqual([]);
    expect(opened.warnings).toEqual([]);
  });

  test('a file that shrinks or is replaced while it is read is an error', async () => {
    writeFileSync(path, Buffer.alloc(10_000_000));
    await using input = await store.openInput(path);
    writeFileSync(path, Buffer.alloc(1000));
    await expect(readAll(input.chunks)).rejects.toMatchObject(fails(2, /it was truncated while it was read/));
    expect(lstatSync(path).size).toBe(1000);
  });

  test('several files are read and written at once', async () => {
    const files = [1, 2, 3].map((index) => ({ path: `${path}${index}`, bytes: randomBytes(1_000_000) }));
    await Promise.all(files.map((file) => upload(store, file.path, file.bytes)));
    const read = await Promise.all(files.map((file) => download(store, file.path)));
    expect(read.map((bytes, index) => bytes.equals(files[index]?.bytes ?? Buffer.alloc(0)))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('a directory of others is not written to', async () => {
    // Root may write anywhere.
    const isRoot = process.getuid?.() === 0;
    await using other = await startSshServer(isRoot ? { user: 'nobody' } : {});
    await using they = await openStore(other, sftpSettings(other));
    const { store: theirs } = they;
    const closed = join(other.directory, 'closed');
    mkdirSync(closed, { mode: 0o555 });
    chmodSync(closed, 0o555);
    await expect(theirs.openOutput(join(closed, 'a.tar'), { force: false })).rejects.toMatchObject(
      fails(8, /^cannot write the archive to sftp:.*: permission denied$/),
    );
    await upload(theirs, join(other.directory, 'a.tar'), Buffer.alloc(3));
  });
});
